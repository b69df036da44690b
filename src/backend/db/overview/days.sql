-- Each day is one range of the index by age.
select to_char(day at time zone 'UTC', 'YYYY-MM-DD') as day,
       count(o.id) as orders,
       coalesce(sum(o.total_cents), 0)::bigint as revenue_cents
from generate_series(
    date_trunc('day', now(), 'UTC') - interval '29 days',
    date_trunc('day', now(), 'UTC'),
    interval '1 day'
) as day
left join orders o
    on o.created_at >= day
    and o.created_at < day + interval '1 day'
    and o.status in ('paid', 'shipped', 'delivered')
group by day
order by day
