#!/bin/sh
# Runs once, when the database is made: the roles of docs/decisions/0002 and 0009 and the database that the owner owns.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -v app="$LYCEUM_APP_PASSWORD" -v owner="$LYCEUM_OWNER_PASSWORD" <<'SQL'
CREATE ROLE lyceum_owner LOGIN PASSWORD :'owner';
CREATE ROLE lyceum_app LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS PASSWORD :'app';
CREATE ROLE lyceum_system NOLOGIN;
GRANT lyceum_system TO lyceum_owner;
CREATE ROLE lyceum_reader NOLOGIN NOINHERIT;
GRANT lyceum_reader TO lyceum_app;
ALTER ROLE lyceum_app SET temp_file_limit = '256MB';
CREATE DATABASE lyceum OWNER lyceum_owner ENCODING 'UTF8' TEMPLATE template0;
\connect lyceum
CREATE EXTENSION IF NOT EXISTS pg_trgm;
SQL
