-- A customer's user may be missing where somebody else's account has the address: the order then is nobody's.
insert into orders (id, user_id, status, total_cents, currency, import_ref, created_at)
select o.id, u.id, 'delivered', o.total_cents, $1, o.invoice, o.at
from import_orders o
left join import_customers c using (customer)
left join users u on u.id = c.user_id
order by o.at
on conflict (import_ref) do nothing
