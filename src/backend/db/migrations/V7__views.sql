-- What customers look at is written: each look is compared with the last one of the same product, and forgotten after a
-- while.
create index interactions_views_idx on interactions (user_id, product_id, at) where kind = 'view';
create index interactions_views_age_idx on interactions (at) where kind = 'view';
