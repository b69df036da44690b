-- Where a product stands among the best sellers, in parts that are sorted now and then: src/backend/db/products/tiers.rs.
alter table products add column tier smallint not null default 3;

-- Written seldom, and read from their beginning by every search: new entries do not wait in a list.
create index products_search_tier_0_idx on products using gin (search) with (fastupdate = off) where tier = 0;
create index products_search_tier_1_idx on products using gin (search) with (fastupdate = off) where tier = 1;
create index products_search_tier_2_idx on products using gin (search) with (fastupdate = off) where tier = 2;

-- As before, with the tier, so that who stands in the wrong one is found in the index alone.
drop index products_popularity_idx;
create index products_popularity_idx on products (popularity desc, id desc) include (tier) where archived_at is null;
