-- Products are locked in the order in which a checkout locks them, so that neither waits for the other in a circle.
select p.id
from products p
join import_products d using (sku)
order by p.id
for no key update of p
