with asked as materialized (
    select distinct word collate "C" as word, one_letter_less(word) as one_less from unnest($1::text[]) word
)
select a.word, near.word as near
from asked a
cross join lateral (
    -- One error: of each word at most one letter is left out to make them the same. Of two errors this finds some.
    select s.word from search_words s where s.one_less && a.one_less
    union
    -- More errors, where a word is long enough and not known as it is.
    (
        select s.word
        from search_words s
        where length(a.word) >= 6
            and s.word % a.word
            and abs(length(s.word) - length(a.word)) <= 2
            and not exists (select from search_words k where k.word = a.word)
        order by similarity(s.word, a.word) desc, s.word
        limit 20
    )
) near
