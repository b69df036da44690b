-- The addresses lead nowhere (RFC 2606), and without a password nobody can log in.
insert into users (id, email, name, created_at)
select user_id, 'customer-' || customer || '@import.invalid', 'Customer ' || customer, at
from import_customers
on conflict do nothing
