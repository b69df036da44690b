-- Where a product stands among the best sellers, in parts that are sorted now and then: src/backend/db/products/tiers.rs.
alter table products add column tier smallint not null default 5;

-- A full-text index of each part in place of one of all. Of the first ones, which searches read and imports do not write,
-- no new entries wait in a list.
create index products_search_tier_0_idx on products using gin (search) with (fastupdate = off) where tier = 0;
create index products_search_tier_1_idx on products using gin (search) with (fastupdate = off) where tier = 1;
create index products_search_tier_2_idx on products using gin (search) with (fastupdate = off) where tier = 2;
create index products_search_tier_3_idx on products using gin (search) with (fastupdate = off) where tier = 3;
create index products_search_tier_4_idx on products using gin (search) with (fastupdate = off) where tier = 4;
create index products_search_tier_5_idx on products using gin (search) with (gin_pending_list_limit = 256) where tier = 5;
drop index products_search_idx;

-- As before, with the tier, so that who stands in the wrong one is found in the index alone.
drop index products_popularity_idx;
create index products_popularity_idx on products (popularity desc, id desc) include (tier) where archived_at is null;
