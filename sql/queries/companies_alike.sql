-- names that may be like those of rows: the same start or the same long word (sluice.matching.keys), and about as many
-- letters; so many of each at the most, however many companies there are
select
    n.canonical_name,
    array(
        (
            select s.canonical_name from companies as s
            where s.start_key = n.start_key and s.letters between n.fewest and n.most
            order by s.start_key, s.letters
            limit %(candidates)s
        )
        union all
        (
            select w.canonical_name from companies as w
            where w.word_key = n.word_key and w.letters between n.fewest and n.most
            order by w.word_key, w.letters
            limit %(candidates)s
        )
    ) as others
from
    unnest(
        %(names)s::text[], %(starts)s::text[], %(words)s::text[], %(fewest)s::smallint[], %(most)s::smallint[]
    ) as n (canonical_name, start_key, word_key, fewest, most)
