-- The catalogue as its keepers and its visitors need it.

-- Tags are asked for as a list between commas.
alter table products add constraint products_tags_commas_check check (join_words(tags) !~ ',');
create index products_tags_idx on products using gin (tags) where archived_at is null;

-- Each order of a list, within a category too.
create index products_category_price_idx on products (category, price_cents, id) where archived_at is null;
create index products_category_name_idx on products (category, name, id) where archived_at is null;
create index products_category_popularity_idx on products (category, popularity desc, id desc)
    where archived_at is null;

-- The list of archived products.
create index products_archived_idx on products (archived_at desc, id desc) where archived_at is not null;

-- "SET/6 BOXES" is about a set: the parser of texts would take "set/6" for the name of a file.
alter table products drop column search;
alter table products add column search tsvector not null generated always as (
    setweight(to_tsvector('english', translate(name, '/', ' ')), 'A')
    || setweight(to_tsvector('english', translate(category || ' ' || join_words(tags), '/', ' ')), 'B')
    || setweight(to_tsvector('english', translate(description, '/', ' ')), 'C')
) stored;
create index products_search_idx on products using gin (search);

-- A search text whose last word, if given, may be unfinished: "white lant" finds white lanterns. The query's text can
-- only end in a quotation mark where its last lexeme stands alone, and the last word has lexemes unless it is a stop
-- word; else the beginning of another word would be meant.
create function unfinished_tsquery(words text, last_word text) returns tsquery
    language sql immutable parallel safe
    return case
        when numnode(websearch_to_tsquery('english', last_word)) > 0
            and websearch_to_tsquery('english', words)::text like '%'''
        then (websearch_to_tsquery('english', words)::text || ':*')::tsquery
        else websearch_to_tsquery('english', words)
    end;

-- The word, and the word with each of its letters left out. Two words that share one of these are one error apart: a
-- letter too many, too few, wrong, or swapped with its neighbour (or two errors, in a few cases). This finds misspelt
-- short words, which have too few trigrams in common with what was meant.
create function one_letter_less(word text) returns text[]
    language sql immutable strict parallel safe
    return (
        select array_agg(distinct case i when 0 then word else left(word, i - 1) || substr(word, i + 1) end)
        from generate_series(0, length(word)) i
    );

-- The words that products are called by and filed under, to correct misspelt searches. Words stay when the last product
-- that had them goes: they then lead to nothing.
create table search_words (
    word     text collate "C" primary key,
    one_less text[] not null generated always as (one_letter_less(word)) stored
);
create index search_words_one_less_idx on search_words using gin (one_less);
create index search_words_trgm_idx on search_words using gin (word gin_trgm_ops);
-- The similarity of whole names no longer answers anything.
drop index products_name_trgm_idx;

create function words_of(name text, category text, tags text[]) returns setof text
    language sql immutable parallel safe
    return unnest(tsvector_to_array(
        to_tsvector('simple', translate(name || ' ' || category || ' ' || join_words(tags), '/', ' '))
    ));

-- Words are written in their order, so that two writers wait for one another in no circle.
create function note_words_of_new_products() returns trigger
    language plpgsql
as $$
begin
    insert into search_words (word)
    select distinct w.word
    from added a, words_of(a.name, a.category, a.tags) w (word)
    where w.word ~ '^[[:alpha:]]{3,40}$'
    order by w.word
    on conflict do nothing;
    return null;
end
$$;
create trigger products_words_inserted after insert on products
    referencing new table as added
    for each statement execute function note_words_of_new_products();

create function note_words_of_product() returns trigger
    language plpgsql
as $$
begin
    insert into search_words (word)
    select distinct w.word
    from words_of(new.name, new.category, new.tags) w (word)
    where w.word ~ '^[[:alpha:]]{3,40}$'
    order by w.word
    on conflict do nothing;
    return null;
end
$$;
create trigger products_words_updated after update of name, category, tags on products
    for each row
    when ((old.name, old.category, old.tags) is distinct from (new.name, new.category, new.tags))
    execute function note_words_of_product();

insert into search_words (word)
select distinct w.word
from products p, words_of(p.name, p.category, p.tags) w (word)
where w.word ~ '^[[:alpha:]]{3,40}$'
on conflict do nothing;
