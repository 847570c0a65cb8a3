//! Finds the name that was probably meant, and lists names in messages.

/// The nearest of `names` to `word`, if one is near enough to be a slip: names of one letter have no neighbours.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|name| (distance(&word.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| {
            let (from, to) = (word.chars().count(), name.chars().count());
            *distance <= from.max(to).div_ceil(3) && *distance < from.min(to)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `` did you mean `name`? `` on a line of its own, or nothing.
pub(crate) fn did_you_mean<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, names).map(|name| format!("\ndid you mean `{name}`?")).unwrap_or_default()
}

/// `a, b, c`, or `none`.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Edits from one word to the other: insert, delete, replace, or swap two neighbours
/// (optimal string alignment, <https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance>).
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=to.len()).collect();
    for i in 1..=from.len() {
        for j in 1..=to.len() {
            let replace = usize::from(from[i - 1] != to[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + replace);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swapped_letter_is_a_slip() {
        assert_eq!(nearest("cuont", ["ip", "count"]), Some("count"));
    }

    #[test]
    fn another_word_is_not() {
        assert_eq!(nearest("region", ["ip", "count"]), None);
    }

    #[test]
    fn a_name_of_one_letter_is_like_no_other() {
        assert_eq!(nearest("a", ["b", "c"]), None);
    }

    #[test]
    fn case_does_not_count() {
        assert_eq!(nearest("hashjoin", ["HashJoin", "GroupBy"]), Some("HashJoin"));
    }
}
