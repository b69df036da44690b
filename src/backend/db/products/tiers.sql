-- Moves up to $1 products to the tiers where they belong: the first ends with the 8,000th best seller, and each next one is
-- three times as large as all before it. Of two who do this at once, one does.
with turn as materialized (
    select pg_try_advisory_xact_lock($2) as ours
), ranked as (
    -- Those behind the last end may have fallen out of it since the last time.
    select p.id, p.tier, row_number() over (order by p.popularity desc, p.id desc) as rank
    from products p
    where p.archived_at is null and (select t.ours from turn t)
    order by p.popularity desc, p.id desc
    limit 2200000
), misplaced as (
    select r.id, t.tier
    from ranked r,
        lateral (
            select width_bucket(r.rank - 1, array[8000, 32000, 128000, 512000, 2048000]::bigint[])::smallint as tier
        ) t
    where r.tier <> t.tier
    limit $1
), locked as (
    -- Sorted, so that all are known before the first one is locked.
    select p.id, m.tier
    from products p
    join misplaced m on m.id = p.id
    order by p.id
    for no key update of p skip locked
)
update products p
set tier = l.tier
from locked l
where p.id = l.id
