-- The benchmark's catalogue and customers, with ids that follow from their numbers, so that a driver knows them without
-- asking: product n is 00000000-0000-7000-8000-<n in hexadecimal>, customer n the same with 9000, with the session token
-- `bench-session-<n>`. What is there already stays.
set statement_timeout = 0;

insert into products (
    id, sku, name, description, category, tags, price_cents, currency, stock, popularity_exact, popularity, created_at
)
select
    ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    'BENCH-' || n,
    a.word || ' ' || m.word || ' ' || t.word,
    'A ' || t.word || ' of ' || m.word || ', ' || a.word || ' as few others, made by hand in workshop ' || n % 997
        || ' and looked at twice before it is packed. It lasts, it can be repaired, and it fits what is there already.',
    c.word,
    array[lower(m.word), lower(a.word)],
    99 + (n * 7919) % 20000,
    'GBP',
    1000000,
    sales.popularity,
    popularity_step(sales.popularity),
    now() - make_interval(secs => n)
from generate_series(:first::bigint, :last::bigint) n,
    lateral (values (array['Amber', 'Azure', 'Bold', 'Brave', 'Bright', 'Calm', 'Clever', 'Crisp', 'Deep', 'Dusky', 'Early',
        'Faint', 'Gentle', 'Golden', 'Grand', 'Humble', 'Ivory', 'Jolly', 'Keen', 'Late', 'Light', 'Lively', 'Merry',
        'Mild', 'Modern', 'Narrow', 'Noble', 'Pale', 'Plain', 'Proud', 'Quiet', 'Rapid', 'Rustic', 'Scarlet', 'Silver',
        'Slim', 'Smooth', 'Tall', 'Vivid', 'Warm'])) adjectives (words),
    lateral (select words[1 + n % 40] as word) a,
    lateral (select (array['Bamboo', 'Brass', 'Canvas', 'Ceramic', 'Clay', 'Copper', 'Cork', 'Cotton', 'Felt', 'Glass',
        'Iron', 'Leather', 'Linen', 'Marble', 'Oak', 'Paper', 'Porcelain', 'Steel', 'Walnut', 'Wool'])[1 + n / 40 % 20]
        as word) m,
    lateral (select (array['Apron', 'Basket', 'Bench', 'Blanket', 'Bottle', 'Bowl', 'Box', 'Brush', 'Candle', 'Chair',
        'Clock', 'Cup', 'Cushion', 'Desk', 'Dish', 'Frame', 'Hook', 'Jar', 'Jug', 'Kettle', 'Ladle', 'Lamp', 'Lantern',
        'Mat', 'Mirror', 'Mug', 'Napkin', 'Pan', 'Plate', 'Pot', 'Rack', 'Rug', 'Shelf', 'Spoon', 'Stool', 'Table',
        'Teapot', 'Towel', 'Tray', 'Vase'])[1 + n / 800 % 40] as word) t,
    lateral (select (array['Bath', 'Bedroom', 'Clocks', 'Cooking', 'Decor', 'Dining', 'Garden', 'Gifts', 'Hall', 'Kitchen',
        'Lighting', 'Living', 'Office', 'Outdoor', 'Party', 'Storage', 'Tables', 'Textiles', 'Tools', 'Travel'])
        [1 + n % 20] as word) c,
    -- Of any words some sell well and some do not, which a remainder of the number, as the words are, would not give.
    lateral (select popularity_of(1 + abs(hashint8(n)::bigint) % 500, now()) as popularity) sales
on conflict (id) do nothing;

insert into stock_movements (product_id, delta, reason)
select p.id, p.stock, 'opening'
from products p
where p.sku like 'BENCH-%' and not exists (select from stock_movements m where m.product_id = p.id);

insert into users (id, email, name)
select ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, 'bench-' || n || '@example.com', 'Bench ' || n
from generate_series(1, :customers::bigint) n
on conflict do nothing;

insert into sessions (token_hash, user_id, expires_at)
select
    sha256(convert_to('bench-session-' || n, 'UTF8')),
    ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid,
    now() + interval '14 days'
from generate_series(1, :customers::bigint) n
on conflict (token_hash) do update set last_seen_at = now(), expires_at = excluded.expires_at;

-- What guests have left in their carts: a shop that has none plans as if no cart had anything in it.
insert into carts (id, token_hash)
select ('00000000-0000-7000-a000-' || lpad(to_hex(n), 12, '0'))::uuid, sha256(convert_to('bench-guest-' || n, 'UTF8'))
from generate_series(1, 10000) n
on conflict do nothing;
insert into cart_items (cart_id, product_id, quantity, price_cents)
select c.id, p.id, 1, p.price_cents
from carts c,
    generate_series(0, 2) k,
    lateral (select ('00000000-0000-7000-8000-' || lpad(to_hex(1 + (abs(hashtext(c.id::text)::bigint) + k) % :last), 12, '0'))
        ::uuid as id) r
    join products p using (id)
where c.token_hash is not null
on conflict do nothing;

-- What customers bought, as the shop's checkout notes it for recommenders: some twenty products each, of which the popular
-- ones, by Zipf's law, are many customers'. What they bought while something was measured is forgotten: nobody has
-- thousands.
delete from interactions;
delete from uncounted_sales;
insert into interactions (user_id, product_id, kind, quantity)
select distinct u.id, p.id, 'purchase', 1
from generate_series(1, :customers::bigint) n,
    generate_series(1, 20) k,
    lateral (select floor(power(:last::float8, (n * 7919 + k * 104729) % 10007 / 10007.0::float8))::bigint as rank) r,
    lateral (select ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid as id) u,
    lateral (select ('00000000-0000-7000-8000-' || lpad(to_hex(r.rank * 48271 % :last::bigint + 1), 12, '0'))::uuid as id) p;
