//! Reads where a field of a `JsonLine` is found: `"user.id" as user`.

use syn::{LitStr, Token, parse::ParseStream};

/// Names, one inside the object of the other.
#[derive(Clone)]
pub(crate) struct Path {
    pub(crate) literal: LitStr,
    pub(crate) names: Vec<String>,
}

impl Path {
    /// As a person would write it in a flow: `"user.id" as `.
    pub(crate) fn written(&self) -> String {
        format!("{:?} as ", self.literal.value())
    }
}

/// A path and its `as`, if one stands here; what follows is the name of the field.
pub(super) fn parse_path(input: ParseStream<'_>) -> syn::Result<Option<Path>> {
    if !input.peek(LitStr) {
        return Ok(None);
    }
    let literal: LitStr = input.parse()?;
    if input.parse::<Option<Token![as]>>()?.is_none() {
        let value = literal.value();
        let message = format!("a path needs the name of its field, as in `{value:?} as id: i64`");
        return Err(syn::Error::new(literal.span(), message));
    }
    match names(&literal.value()) {
        Ok(names) => Ok(Some(Path { literal, names })),
        Err(message) => Err(syn::Error::new(literal.span(), message)),
    }
}

/// The names between the points; `\.` is a point and `\\` a backslash inside of a name.
fn names(path: &str) -> Result<Vec<String>, &'static str> {
    let mut names = vec![String::new()];
    let mut letters = path.chars();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            '.' => {
                names.push(String::new());
                continue;
            }
            '\\' => letters.next().filter(|escaped| matches!(escaped, '.' | '\\')).ok_or(
                "in a path a `\\` stands before a `.` that belongs to a name, or before another `\\`\n\
                 write the path as `r\"…\"`, in which Rust leaves it alone",
            )?,
            letter => letter,
        };
        if let Some(name) = names.last_mut() {
            name.push(letter);
        }
    }
    if names.iter().any(String::is_empty) {
        return Err("a path is names with a `.` between them, none of them empty");
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn names_stand_between_points_and_an_escaped_point_belongs_to_a_name() {
        assert_eq!(names("user.id").unwrap(), ["user", "id"]);
        assert_eq!(names(r"a\.b.c\\.größe in m").unwrap(), ["a.b", r"c\", "größe in m"]);
        for wrong in ["", ".", "a.", "a..b", r"a\b", r"a\"] {
            assert!(names(wrong).is_err(), "{wrong}");
        }
    }
}
