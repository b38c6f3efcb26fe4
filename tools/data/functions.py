"""The functions and types that a query may use. Whatever is not here is refused.

Left out on purpose: all that reads files, settings, catalogues or other sessions, sleeps, locks, counts up sequences, or
runs SQL handed to it as text; and what makes a large value out of a small one (repeat, format, array_fill).
"""

AGGREGATES = """
    any_value array_agg avg bit_and bit_or bool_and bool_or corr count covar_pop covar_samp every json_agg json_object_agg
    jsonb_agg jsonb_object_agg max min mode percentile_cont percentile_disc regr_avgx regr_avgy regr_count regr_intercept
    regr_r2 regr_slope stddev stddev_pop stddev_samp string_agg sum var_pop var_samp variance
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
"""
NUMBERS = """
    abs ceil ceiling degrees div exp floor gcd greatest lcm least ln log log10 mod pi power radians random round sign sqrt
    trunc width_bucket bit_count
"""
TEXTS = """
    ascii bit_length btrim char_length character_length chr concat concat_ws convert_from convert_to decode encode initcap
    left length like_escape lower lpad ltrim md5 normalize octet_length overlay position quote_ident quote_literal
    regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array
    regexp_split_to_table regexp_substr replace reverse right rpad rtrim sha256 similar_to_escape split_part starts_with
    string_to_array string_to_table strpos substr substring to_char to_hex to_number translate trim upper
"""
TIMES = """
    age clock_timestamp date_bin date_part date_trunc extract isfinite justify_days justify_hours justify_interval
    make_date make_interval make_time make_timestamp make_timestamptz now overlaps statement_timestamp timezone to_date
    to_timestamp transaction_timestamp uuid_extract_timestamp
"""
JSON = """
    json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each
    json_each_text json_extract_path json_extract_path_text json_object_keys json_to_recordset json_typeof
    jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each
    jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_object_keys jsonb_path_exists jsonb_path_match
    jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_pretty jsonb_strip_nulls jsonb_to_recordset
    jsonb_typeof row_to_json to_json to_jsonb
"""
ARRAYS = """
    array_append array_cat array_length array_lower array_ndims array_position array_positions array_prepend array_remove
    array_replace array_to_json array_to_string array_upper cardinality generate_series generate_subscripts unnest
    num_nonnulls num_nulls pg_typeof
"""
SEARCH = """
    numnode phraseto_tsquery plainto_tsquery querytree setweight strip to_tsquery to_tsvector ts_headline ts_rank
    ts_rank_cd tsvector_to_array websearch_to_tsquery similarity strict_word_similarity word_similarity show_trgm
"""
FUNCTIONS = frozenset(" ".join((AGGREGATES, NUMBERS, TEXTS, TIMES, JSON, ARRAYS, SEARCH)).split())

TYPES = frozenset("""
    bool boolean int2 int4 int8 smallint integer bigint float4 float8 numeric text varchar bpchar char name bytea uuid
    date time timetz timestamp timestamptz interval json jsonb jsonpath tsvector tsquery inet bit varbit
""".split())  # fmt: skip
