-- Run once by the image of Postgres, when its volume is empty: Prefect has a database of its own.
create database prefect template template0 encoding 'UTF8' locale 'C';
\connect prefect
create extension pg_trgm;
