with asked as (
    select word collate "C" as word, $2 and n = cardinality($1::text[]) as unfinished
    from unnest($1::text[]) with ordinality w (word, n)
), unknown as (
    select distinct word
    from asked a
    where not exists (
        select from search_words s
        where s.word = a.word
            -- U+10FFFF is beyond whatever the word could go on with.
            or a.unfinished and s.word > a.word and s.word < a.word || U&'\+10FFFF'
    )
)
select u.word, near.word as near
from unknown u
cross join lateral (
    -- One error: of each word at most one letter is left out to make them the same. Of two errors this finds some.
    select s.word from search_words s where s.one_less && one_letter_less(u.word)
    union
    (
        select s.word
        from search_words s
        where length(u.word) >= 6 and s.word % u.word
        order by similarity(s.word, u.word) desc, s.word
        limit 20
    )
) near
