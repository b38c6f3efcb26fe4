-- Synthetic data for `python -m benchmarks scale`, made inside the server. `:name` is a number of `benchmarks.filling.Scale`.
-- Row n of a table has the key scale_id(kind, n), so that every reference can be computed: user n % users, and so on. Parents
-- alternate between users, as they do where many people work at the same time; what belongs to one parent lies together.

-- step: helpers
CREATE FUNCTION scale_id(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT (lpad(to_hex(n), 12, '0') || '70008' || lpad(to_hex(kind), 15, '0'))::uuid $$;
CREATE FUNCTION scale_random(n bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT (hashint8extended(n, salt) & 4503599627370495) / 4503599627370496.0::float8 $$;
CREATE UNLOGGED TABLE scale_words AS
    WITH syllables AS (
        SELECT array_agg(consonant || vowel ORDER BY consonant, vowel) AS s
        FROM unnest(string_to_array('b d f g k l m n p r t v z', ' ')) consonant, unnest('{a,e,i,o,u}'::text[]) vowel
    )
    SELECT r AS rank, s[1 + r % 65] || s[1 + r / 65 % 65] || s[1 + r * 17 % 65] AS word
    FROM syllables, generate_series(1, 4000) r;
ALTER TABLE scale_words ADD PRIMARY KEY (rank);
-- Zipf's law (exponent 1) over the content words; about 0.8 stop words to each, as in English prose.
CREATE UNLOGGED TABLE scale_sentences AS
    SELECT n AS number, string_agg((ARRAY['the ', 'of ', 'and ', 'in a ', 'is ', 'that ', ''])[1 + (scale_random(n * 64 + w, 2) * 7)::int % 7]
                         || word, ' ' ORDER BY w) || '.' AS text
    FROM generate_series(0, :pool - 1) n CROSS JOIN generate_series(0, :words - 1) w
    JOIN scale_words ON rank = floor(power(4000, scale_random(n * 64 + w, 1)))::int
    GROUP BY n;
ALTER TABLE scale_sentences ADD PRIMARY KEY (number);
ANALYZE scale_words, scale_sentences;

-- step: users
INSERT INTO users (id, email, name, password_hash)
SELECT scale_id(1, n), 'student' || n || '@example.org', 'Student ' || n, repeat('x', 97) FROM generate_series(0, :users - 1) n;

-- step: user_sessions
INSERT INTO user_sessions (id, user_id, access_hash, access_expires_at, refresh_hash, refresh_expires_at, device, ip_address)
SELECT scale_id(2, n), scale_id(1, n % :users), sha256(('access ' || n)::bytea), now() + interval '1 hour',
       sha256(('refresh ' || n)::bytea), now() + interval '30 days', 'Firefox on Linux', '203.0.113.' || n % 250
FROM generate_series(0, :users * :sessions - 1) n;

-- step: api_keys
INSERT INTO api_keys (id, user_id, name, prefix, key_hash, scopes)
SELECT scale_id(3, n), scale_id(1, n % :users), 'Key ' || n / :users, 'lyc_' || left(md5(n::text), 6),
       sha256(('key ' || n)::bytea), '{*}'
FROM generate_series(0, :users * :keys - 1) n;

-- step: classes
INSERT INTO classes (id, user_id, name, subject, collection_prefix, created_at)
SELECT scale_id(4, n), scale_id(1, n % :users), 'Class ' || n / :users, 'Physics', 'scale_' || n,
       now() - interval '300 days' + n * interval '1 second'
FROM generate_series(0, :users * :classes - 1) n;

-- step: class_members
INSERT INTO class_members (id, class_id, owner_id, user_id)
SELECT scale_id(5, n), scale_id(4, owner), scale_id(1, owner), scale_id(1, n % :users)
FROM generate_series(0, :users * :joined - 1) n CROSS JOIN LATERAL (SELECT (n % :users + 1 + n / :users) % :users AS owner) o;

-- step: files
INSERT INTO files (id, user_id, filename, object_key, media_type, size_bytes, sha256)
SELECT scale_id(6, n), scale_id(1, n % :users), 'lecture-' || n || '.pdf', 'users/' || n % :users || '/files/' || n,
       'application/pdf', 1000000 + n, sha256(('file ' || n)::bytea)
FROM generate_series(0, :materials - 1) n;

-- step: materials
INSERT INTO materials (id, user_id, class_id, file_id, title, kind, status, checksum, language, segment_kind, page_count,
                       word_count, chunk_count, embedding_model, processed_at, created_at)
SELECT scale_id(7, n), scale_id(1, n % :users), scale_id(4, n % (:users * :classes)), scale_id(6, n),
       left(s.text, 60), (ARRAY['lecture', 'textbook', 'slides'])[1 + n / (:users * :classes) % 3], 'ready',
       sha256(('file ' || n)::bytea), 'en', 'page', (:material_chunks + :page_chunks - 1) / :page_chunks, :material_chunks * :words * :sentences,
       :material_chunks, 'scale', now(), now() - interval '200 days' + n * interval '10 seconds'
FROM generate_series(0, :materials - 1) n JOIN scale_sentences s ON s.number = n % :pool;

-- step: jobs
INSERT INTO jobs (id, user_id, kind, material_id, status, progress_done, progress_total, attempts, started_at, finished_at, created_at)
SELECT scale_id(8, n), scale_id(1, m % :users), 'ingest_material', scale_id(7, m),
       CASE WHEN done THEN 'succeeded' ELSE 'queued' END, 25, 25, done::int,
       CASE WHEN done THEN now() END, CASE WHEN done THEN now() END, now() - interval '200 days' + n * interval '10 seconds'
FROM generate_series(0, :materials * :material_jobs - 1) n
CROSS JOIN LATERAL (SELECT n % :materials AS m, n < :materials * :material_jobs - :open_jobs AS done) j;

-- step: conversations
INSERT INTO conversations (id, user_id, class_id, thread_id, title, message_count, last_message_at)
SELECT scale_id(9, n), scale_id(1, n % :users), scale_id(4, n % :users), scale_id(9, n)::text, left(s.text, 50), :messages,
       now() - interval '90 days' + n * interval '1 minute'
FROM generate_series(0, :users * :conversations - 1) n JOIN scale_sentences s ON s.number = n % :pool;

-- step: runs
INSERT INTO runs (id, user_id, conversation_id, client_run_id, status, model, input_tokens, output_tokens, heartbeat_at, finished_at)
SELECT scale_id(10, n), scale_id(1, c % :users), scale_id(9, c), scale_id(10, n)::text, 'succeeded', 'builtin', 900, 150, now(), now()
FROM generate_series(0, :users * :conversations * :messages / 2 - 1) n
CROSS JOIN LATERAL (SELECT n / (:messages / 2) AS c) conversation;

-- step: messages
INSERT INTO messages (id, user_id, conversation_id, run_id, role, text, citations, created_at)
SELECT scale_id(11, n), scale_id(1, c % :users), scale_id(9, c), scale_id(10, n / 2), CASE n % 2 WHEN 0 THEN 'user' ELSE 'assistant' END,
       CASE n % 2 WHEN 0 THEN a.text ELSE concat_ws(' ', a.text, b.text, a.text) END,
       CASE n % 2 WHEN 0 THEN '[]' ELSE jsonb_build_array(jsonb_build_object('passage_id', scale_id(12, n), 'label', 'page 57',
           'locator', jsonb_build_object('material_id', scale_id(7, c % :materials), 'page', 57, 'char_start', 0, 'char_end', 600))) END,
       now() - interval '90 days' + c * interval '1 minute' + n % :messages * interval '1 second'
FROM generate_series(0, :users * :conversations * :messages - 1) n
JOIN scale_sentences a ON a.number = n % :pool JOIN scale_sentences b ON b.number = (n * 7 + 1) % :pool
CROSS JOIN LATERAL (SELECT n / :messages AS c) conversation;

-- step: decks
INSERT INTO decks (id, user_id, class_id, title, source, model)
SELECT scale_id(13, n), scale_id(1, n % :users), scale_id(4, n % (:users * :classes)), left(s.text, 40), 'generated', 'builtin'
FROM generate_series(0, :users * :decks - 1) n JOIN scale_sentences s ON s.number = n % :pool;

-- step: flashcards
INSERT INTO flashcards (id, user_id, deck_id, ordinal, front, back, state, stability, difficulty, due_at, last_reviewed_at,
                        interval_days, reps, model, source_chunk_ids, material_id, quote, locator)
SELECT scale_id(14, n), scale_id(1, d % :users), scale_id(13, d), n % :cards, a.text, b.text, CASE WHEN new THEN 'new' ELSE 'review' END,
       CASE WHEN NOT new THEN 20 END, CASE WHEN NOT new THEN 5 END,
       CASE WHEN NOT new THEN now() + (scale_random(n, 3) * 60 - 3) * interval '1 day' END, CASE WHEN NOT new THEN now() - interval '9 days' END,
       CASE WHEN new THEN 0 ELSE 20 END, CASE WHEN new THEN 0 ELSE :reviews END, 'builtin', ARRAY[scale_id(12, d % :materials * :material_chunks)],
       scale_id(7, d % :materials), b.text, '{"page": 57, "char_start": 100, "char_end": 250}'
FROM generate_series(0, :users * :decks * :cards - 1) n
JOIN scale_sentences a ON a.number = n % :pool JOIN scale_sentences b ON b.number = (n * 7 + 3) % :pool
CROSS JOIN LATERAL (SELECT n / :cards AS d, scale_random(n, 4) < 0.3 AS new) card;

-- step: card_reviews
INSERT INTO card_reviews (id, user_id, card_id, reviewed_at, scheduler, rating, duration_ms, elapsed_days, scheduled_days, before, after)
SELECT scale_id(15, n), scale_id(1, c / :cards % :users), scale_id(14, c), now() - interval '60 days' + n * interval '1 second' / 10,
       'fsrs', 3, 4000, 5, 12, state, state
FROM generate_series(0, :users * :decks * :cards * :reviews - 1) n
CROSS JOIN LATERAL (SELECT n % (:users * :decks * :cards) AS c,
    '{"state": "review", "stability": 12.5, "difficulty": 5.1, "due_at": "2026-01-01T00:00:00Z", "reps": 3, "lapses": 0}'::jsonb AS state) r;

-- step: audit_logs
SELECT lyceum_make_partitions(26, now() - interval '23 months');
INSERT INTO audit_logs (id, created_at, user_id, action, surface, arguments, entity_type, entity_id, new_values, is_success, ip_address, user_agent)
SELECT scale_id(16, n), now() - interval '1 year' * (1 - n::float8 / (:users * :audit)), scale_id(1, n % :users), 'update_class', 'http',
       jsonb_build_object('class_id', scale_id(4, n % (:users * :classes)), 'name', 'Class ' || n), 'classes', scale_id(4, n % (:users * :classes)),
       jsonb_build_object('classes', jsonb_build_object(scale_id(4, n % (:users * :classes)), jsonb_build_object('name', 'Class ' || n))),
       true, '203.0.113.' || n % 250, 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
FROM generate_series(0, :users * :audit - 1) n;

-- batch: chunks
INSERT INTO chunks (id, user_id, class_id, material_id, ordinal, segment, type, text, char_start, char_end, heading_path,
                    token_count, word_count, embedding_model)
SELECT scale_id(12, n), scale_id(1, m % :users), scale_id(4, m % (:users * :classes)), scale_id(7, m), o, o / :page_chunks, 'text', p.text,
       o % :page_chunks * 600, o % :page_chunks * 600 + length(p.text), ARRAY['Chapter ' || 1 + o / 20, 'Section ' || 1 + o / 5],
       150, :words * :sentences, 'scale'
FROM generate_series(:first::bigint * :material_chunks, :last::bigint * :material_chunks - 1) n
CROSS JOIN LATERAL (SELECT n / :material_chunks AS m, (n % :material_chunks)::int AS o) place
CROSS JOIN LATERAL (
    SELECT string_agg(s.text, ' ') AS text FROM generate_series(1, :sentences) k
    JOIN scale_sentences s ON s.number = floor(scale_random(n, 100 + k) * :pool)::int
) p;

-- batch: material_segments
INSERT INTO material_segments (id, user_id, material_id, ordinal, kind, number, text, lines, blocks)
SELECT scale_id(17, m * :material_chunks + c.segment), c.user_id, c.material_id, c.segment, 'page', c.segment + 1,
       string_agg(c.text, ' ' ORDER BY c.ordinal), lines.boxes, '[["text", 0, 600, 0], ["text", 600, 1200, 0]]'
FROM generate_series(:first, :last - 1) m JOIN chunks c ON c.material_id = scale_id(7, m)
CROSS JOIN (
    SELECT jsonb_agg(jsonb_build_array(line * 80, line * 80 + 79, 0.1176, round(0.08 + line * 0.0271, 4), 0.8824, round(0.1 + line * 0.0271, 4))) AS boxes
    FROM generate_series(0, :lines - 1) line
) lines
GROUP BY m, c.user_id, c.material_id, c.segment, lines.boxes;

-- batch: chunk_postings
INSERT INTO chunk_postings (material_id, lexeme, class_id, user_id, ordinals, frequencies, lengths)
SELECT c.material_id, l.lexeme, c.class_id, c.user_id, array_agg(c.ordinal ORDER BY c.ordinal),
       array_agg(cardinality(l.positions)::smallint ORDER BY c.ordinal), array_agg(c.word_count::smallint ORDER BY c.ordinal)
FROM generate_series(:first, :last - 1) m JOIN chunks c ON c.material_id = scale_id(7, m) CROSS JOIN LATERAL unnest(c.lexemes) l
GROUP BY c.material_id, l.lexeme, c.class_id, c.user_id;

-- step: statistics
ANALYZE;
