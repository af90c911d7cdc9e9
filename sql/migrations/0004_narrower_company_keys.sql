-- A start of some letters, or a word that half a trade has, is shared by ever more names as a store grows: the keys
-- under which similar names are found take the last two letters, and the first one, as well (sluice.matching.keys).
update companies
set
    start_key = start_key || right(substr(replace(canonical_name, ' ', ''), length(start_key) + 1), 2),
    word_key = word_key || ' ' || left(canonical_name, 1);
