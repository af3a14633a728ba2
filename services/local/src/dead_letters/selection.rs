//! Which messages are meant.

use super::case::Case;

/// Which messages are meant: those that every kind of condition holds for; of one kind, any value. Nothing given means
/// all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Ids, or what they begin with.
    pub ids: Vec<String>,
    /// Runs.
    pub runs: Vec<String>,
    /// IMDb ids.
    pub movies: Vec<String>,
    /// A part of the cause, in capitals or not.
    pub cause: Option<String>,
}

impl Selection {
    /// Whether nothing is given.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Those that are meant.
    #[must_use]
    pub fn of<'a>(&self, cases: &'a [Case]) -> Vec<&'a Case> {
        cases.iter().filter(|case| self.means(case)).collect()
    }

    fn means(&self, Case { letter, cause, .. }: &Case) -> bool {
        let any = |wanted: &[String], is: &dyn Fn(&str) -> bool| wanted.is_empty() || wanted.iter().any(|one| is(one));
        any(&self.ids, &|id| begins(&letter.id, id))
            && any(&self.runs, &|run| letter.run().as_deref() == Some(run))
            && any(&self.movies, &|movie| letter.movie() == Some(movie))
            && self.cause.as_ref().is_none_or(|part| cause.to_lowercase().contains(&part.to_lowercase()))
    }

    /// What is given, but found in no message: each with its option. A part that means nothing is a slip of the pen, and
    /// better asked about than passed over.
    #[must_use]
    pub fn unmatched(&self, cases: &[Case]) -> Vec<String> {
        let one = Self::default;
        let ids = self.ids.iter().map(|id| (format!("--id {id}"), Self { ids: vec![id.clone()], ..one() }));
        let runs = self.runs.iter().map(|run| (format!("--run {run}"), Self { runs: vec![run.clone()], ..one() }));
        let movies = self.movies.iter().map(|id| (format!("--movie {id}"), Self { movies: vec![id.clone()], ..one() }));
        let cause =
            self.cause.iter().map(|part| (format!("--cause {part:?}"), Self { cause: Some(part.clone()), ..one() }));
        let all = ids.chain(runs).chain(movies).chain(cause);
        all.filter(|(_, alone)| alone.of(cases).is_empty()).map(|(shown, _)| shown).collect()
    }
}

fn begins(id: &str, part: &str) -> bool {
    !part.is_empty() && id.starts_with(part)
}

#[cfg(test)]
mod tests {
    use super::super::letter::tests::movie;
    use super::*;

    fn cases() -> Vec<Case> {
        let case = |id, run, imdb_id, cause: &str| Case {
            letter: movie(id, run, imdb_id),
            cause: cause.to_owned(),
            log: Vec::new(),
        };
        vec![
            case("a1", "r1", "tt1", "OMDb does not know the id"),
            case("a2", "r1", "tt2", "S3 could not put"),
            case("b3", "r2", "tt1", "OMDb does not know the id"),
        ]
    }

    fn ids(selection: &Selection) -> Vec<String> {
        selection.of(&cases()).into_iter().map(|case| case.letter.id.clone()).collect()
    }

    fn given(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn each_kind_of_condition_narrows_and_values_of_one_kind_widen() {
        assert_eq!(ids(&Selection::default()), ["a1", "a2", "b3"]);
        assert_eq!(ids(&Selection { ids: given(&["a1", "b"]), ..Selection::default() }), ["a1", "b3"]);
        assert_eq!(ids(&Selection { runs: given(&["r1"]), ..Selection::default() }), ["a1", "a2"]);
        let movie_of_run = Selection { runs: given(&["r1"]), movies: given(&["tt1"]), ..Selection::default() };
        assert_eq!(ids(&movie_of_run), ["a1"]);
        assert_eq!(ids(&Selection { cause: Some("omdb DOES".to_owned()), ..Selection::default() }), ["a1", "b3"]);
        assert_eq!(ids(&Selection { ids: given(&[""]), ..Selection::default() }), [""; 0]);
    }

    #[test]
    fn what_is_given_but_found_nowhere_is_told() {
        let selection = Selection { ids: given(&["a1", "zz"]), movies: given(&["tt9"]), ..Selection::default() };
        assert_eq!(selection.unmatched(&cases()), ["--id zz", "--movie tt9"]);
        assert_eq!(Selection { runs: given(&["r2"]), ..Selection::default() }.unmatched(&cases()), [""; 0]);
    }
}
