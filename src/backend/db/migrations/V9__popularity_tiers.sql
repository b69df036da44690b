-- Where a product stands among the best sellers, in parts that are sorted now and then: src/backend/db/products/tiers.rs.
alter table products add column tier smallint not null default 5;
