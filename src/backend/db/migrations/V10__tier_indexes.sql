-- A full-text index of each tier. Apart from the column, so that the shop can be looked at while they are built: only what
-- changes products waits. Of the first ones, which searches read and imports do not write, no new entries wait in a list.
create index products_search_tier_0_idx on products using gin (search) with (fastupdate = off)
    where tier = 0 and archived_at is null;
create index products_search_tier_1_idx on products using gin (search) with (fastupdate = off)
    where tier = 1 and archived_at is null;
create index products_search_tier_2_idx on products using gin (search) with (fastupdate = off)
    where tier = 2 and archived_at is null;
create index products_search_tier_3_idx on products using gin (search) with (fastupdate = off)
    where tier = 3 and archived_at is null;
create index products_search_tier_4_idx on products using gin (search) with (fastupdate = off)
    where tier = 4 and archived_at is null;
create index products_search_tier_5_idx on products using gin (search) with (gin_pending_list_limit = 256)
    where tier = 5 and archived_at is null;
-- The one of all products, products_search_idx, stays for the version before: for replicas that are still there, and for the
-- way back. It goes with the next version.

-- As before, with the tier, so that who stands in the wrong one is found in the index alone.
create index products_sales_idx on products (popularity desc, id desc) include (tier) where archived_at is null;
drop index products_popularity_idx;
alter index products_sales_idx rename to products_popularity_idx;
