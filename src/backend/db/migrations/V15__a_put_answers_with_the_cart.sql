-- Puts into the cart as `put_cart_item` does, and answers with what is in it then, the products' prices of when they were
-- put in: one statement in place of two. Each row has the result; a refusal is one row that has it alone.
create function put_into_cart(
    buyer uuid, guest bytea, new_cart uuid, this_product uuid, this_quantity integer, max_items bigint
)
    returns table (result text, product_id uuid, quantity integer, price_cents bigint, added_at timestamptz)
    language plpgsql
    rows 5
as $$
#variable_conflict use_column
begin
    -- A cart is no promise, and the order that comes of it waits for the disk for both. What a crash of the database may
    -- take is the last moment's.
    perform set_config('synchronous_commit', 'off', true);
    put_into_cart.result := put_cart_item(buyer, guest, new_cart, this_product, this_quantity, max_items);
    if put_into_cart.result in ('unknown', 'full') then
        return next;
        return;
    end if;
    return query
    select put_into_cart.result, i.product_id, i.quantity, i.price_cents, i.added_at
    from cart_items i
    where i.cart_id = case
        when buyer is not null then (select c.id from carts c where c.user_id = buyer)
        else (select c.id from carts c where c.token_hash = guest)
    end;
end
$$;
