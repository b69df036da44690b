-- Lines of the same invoice and product become one item: units add up, and its price is the mean of the lines' prices
-- weighted by units, to the nearest cent.
create temporary table import_items on commit drop as
select invoice, sku, sum(quantity)::integer as quantity,
    round(sum(quantity * price_cents) / sum(quantity))::bigint as unit_price_cents
from import_lines
group by invoice, sku;

-- Orders that are not there yet, neither from an import nor as this shop's own, which an export calls by their ids. An order's
-- total is the sum over its items, so that it always adds up.
create temporary table import_orders on commit drop as
with headers as (
    select invoice, min(at) as at, min(customer) as customer from import_lines group by invoice
), totals as (
    select invoice, sum(quantity * unit_price_cents)::bigint as total_cents from import_items group by invoice
)
select gen_random_uuid() as id, invoice, at, customer, total_cents
from headers
join totals using (invoice)
where not exists (select from orders o where o.import_ref = invoice)
    and not exists (
        select
        from orders o
        where o.id = case
            when invoice ~ '^order-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then substr(invoice, 7)::uuid
        end
    );

create temporary table import_customers on commit drop as
select l.customer, l.user_id, min(l.at) as at
from import_orders
join import_lines l using (invoice)
where l.customer is not null
group by l.customer, l.user_id;

-- A product's name is its most frequent one, its price the most recent one; the last 30 days of the file tell how many
-- units a shop would keep.
create temporary table import_products on commit drop as
with names as (
    select distinct on (sku) sku, name
    from (select sku, name, count(*) as uses from import_lines group by sku, name) counted
    order by sku, uses desc, name
), prices as (
    select distinct on (sku) sku, price_cents from import_lines order by sku, at desc, row desc
), sales as (
    select sku, min(at) as first_at, max(at) as last_at,
        sum(quantity) filter (where at > (select max(at) from import_lines) - interval '30 days') as recent_units
    from import_lines
    group by sku
)
select sku, name, price_cents, first_at, last_at,
    least(greatest(10, coalesce(recent_units, 0)), 1000000)::integer as stock
from names
join prices using (sku)
join sales using (sku);

create unique index on import_products (sku);
analyze import_items, import_orders, import_products;
