-- The catalogue as its keepers and its visitors need it.

-- Tags are asked for as a list between commas.
alter table products add constraint products_tags_commas_check check (join_words(tags) !~ ',');

-- The list of archived products.
create index products_archived_idx on products (archived_at desc, id desc) where archived_at is not null;
