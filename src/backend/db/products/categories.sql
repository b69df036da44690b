-- From each category's name to the next one in the index, however many products lie between.
with recursive names (category) as (
    (select p.category from products p where p.archived_at is null order by p.category limit 1)
    union all
    select (
        select p.category
        from products p
        where p.archived_at is null and p.category > n.category
        order by p.category
        limit 1
    )
    from names n
    where n.category is not null
)
select n.category,
    (
        select count(*)
        from (select from products p where p.archived_at is null and p.category = n.category limit 10000) counted
    ) as count
from names n
where n.category is not null
