-- A start of some letters, or a word that half a trade has, is shared by ever more names as a store grows: the keys
-- under which similar names are found take how the last of several words starts, and the first letter, as well
-- (sluice.matching.keys).
update companies
set
    start_key = start_key || case
        when position(' ' in canonical_name) > 0 then left(split_part(canonical_name, ' ', -1), 2) else ''
    end,
    word_key = word_key || ' ' || left(canonical_name, 1);
