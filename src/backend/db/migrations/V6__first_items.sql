-- As in V3, but tells the first item of a cart from others: `first` in place of `put`.
create or replace function put_cart_item(
    buyer uuid, guest bytea, new_cart uuid, this_product uuid, this_quantity integer, max_items bigint,
    out result text
)
    language plpgsql
as $$
declare
    this_cart uuid;
    price bigint;
    others bigint;
    there boolean;
begin
    select p.price_cents into price from products p where p.id = this_product and p.archived_at is null;
    if not found then
        result := 'unknown';
        return;
    end if;
    -- The update changes nothing but the time: it makes the row's lock ours, so that carts cannot grow side by side.
    if buyer is not null then
        insert into carts as c (id, user_id) values (new_cart, buyer)
        on conflict (user_id) do update set updated_at = now()
        returning c.id into this_cart;
    else
        insert into carts as c (id, token_hash) values (new_cart, guest)
        on conflict (token_hash) do update set updated_at = now()
        returning c.id into this_cart;
    end if;
    select count(*) filter (where i.product_id <> this_product), count(*) > 0 into others, there
    from cart_items i where i.cart_id = this_cart;
    if others >= max_items then
        result := 'full';
        return;
    end if;
    insert into cart_items (cart_id, product_id, quantity, price_cents)
    values (this_cart, this_product, this_quantity, price)
    on conflict (cart_id, product_id)
    do update set quantity = excluded.quantity, price_cents = excluded.price_cents;
    insert into interactions (user_id, product_id, kind, quantity)
    select buyer, this_product, 'cart', this_quantity
    where buyer is not null;
    result := case when there then 'put' else 'first' end;
end
$$;
