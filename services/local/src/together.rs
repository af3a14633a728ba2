//! Several questions at once.

use std::future::Future;

use futures_util::future::join_all;

/// Asks all at once and gives their answers in order. Of several that fail, the first in order is told, not the one that
/// happened to fail first: the same trouble reads the same each time.
pub(crate) async fn all<T, E, F: Future<Output = Result<T, E>>>(
    questions: impl IntoIterator<Item = F>,
) -> Result<Vec<T>, E> {
    join_all(questions).await.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_in_order_is_told_however_late_it_fails() {
        let failing = async |name: &'static str, after_s: u64| {
            tokio::time::sleep(Duration::from_secs(after_s)).await;
            Err::<(), _>(name)
        };
        assert_eq!(all([failing("slow", 2), failing("quick", 1)]).await, Err("slow"));
    }

    #[tokio::test]
    async fn answers_come_in_order() {
        assert_eq!(all([1, 2].map(async |answer: u8| Ok::<_, ()>(answer))).await, Ok(vec![1, 2]));
    }
}
