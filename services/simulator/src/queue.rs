//! A standard queue of SQS (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html>):
//! no order, at least once, a visibility timeout, dead letters after the maximum of receives, and the end of what has been
//! kept for too long. Dead letters are kept for longer than any world lasts.

use std::time::Duration;

use tokio::time::Instant;

use crate::world::Letter;

/// A message in the queue.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) letter: Letter,
    pub(crate) receives: u32,
    pub(crate) sent_at: Instant,
    visible_at: Instant,
    /// Of the last receive; a deletion with an older one succeeds and deletes nothing
    /// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html>).
    pub(crate) receipt: u64,
}

#[derive(Default)]
pub(crate) struct Queue {
    messages: Vec<Message>,
    pub(crate) dead: Vec<Letter>,
    last_id: u64,
    last_receipt: u64,
}

impl Queue {
    pub(crate) fn send(&mut self, letter: Letter) {
        self.last_id += 1;
        let now = Instant::now();
        let message = Message { id: self.last_id, letter, receives: 0, sent_at: now, visible_at: now, receipt: 0 };
        self.messages.push(message);
    }

    /// Loses what has been here for longer than `retention`, visible or not: the labels of that.
    pub(crate) fn expire(&mut self, retention: Duration) -> Vec<String> {
        let is_expired = |message: &mut Message| message.sent_at.elapsed() > retention;
        self.messages.extract_if(.., is_expired).map(|message| message.letter.label).collect()
    }

    /// The ids of what is visible now.
    pub(crate) fn visible(&self) -> Vec<u64> {
        let now = Instant::now();
        self.messages.iter().filter(|message| message.visible_at <= now).map(|message| message.id).collect()
    }

    /// Receives a visible message, or finds that it has been received too often: it is dead then.
    ///
    /// # Errors
    /// The dead letter's label.
    pub(crate) fn receive(&mut self, id: u64, hidden: Duration, max_receives: u32) -> Result<Option<Message>, String> {
        let Some(index) = self.messages.iter().position(|message| message.id == id) else { return Ok(None) };
        if self.messages[index].receives >= max_receives {
            let message = self.messages.remove(index);
            let label = message.letter.label.clone();
            self.dead.push(message.letter);
            return Err(label);
        }
        self.last_receipt += 1;
        let message = &mut self.messages[index];
        message.receives += 1;
        message.receipt = self.last_receipt;
        message.visible_at = Instant::now() + hidden;
        Ok(Some(message.clone()))
    }

    /// The message, if the receipt is its last one and it is there.
    pub(crate) fn held_by(&self, id: u64, receipt: u64) -> Option<&Message> {
        self.messages.iter().find(|message| message.id == id && message.receipt == receipt)
    }

    pub(crate) fn delete(&mut self, id: u64) {
        self.messages.retain(|message| message.id != id);
    }

    pub(crate) fn hide(&mut self, id: u64, hidden: Duration) {
        for message in self.messages.iter_mut().filter(|message| message.id == id) {
            message.visible_at = Instant::now() + hidden;
        }
    }

    /// Hides what was received with this receipt; whether there is such a message.
    pub(crate) fn hide_received(&mut self, receipt: u64, hidden: Duration) -> bool {
        let received = self.messages.iter_mut().find(|message| message.receipt == receipt);
        received.map(|message| message.visible_at = Instant::now() + hidden).is_some()
    }

    pub(crate) fn bodies(&self) -> impl Iterator<Item = &str> {
        self.messages.iter().map(|message| message.letter.body.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIDDEN: Duration = Duration::from_secs(30);

    fn queue() -> Queue {
        let mut queue = Queue::default();
        queue.send(Letter { label: "a".into(), body: "A".into() });
        queue
    }

    #[tokio::test(start_paused = true)]
    async fn a_received_message_is_hidden_for_the_visibility_timeout() {
        let mut queue = queue();
        queue.receive(1, HIDDEN, 5).unwrap().unwrap();
        assert!(queue.visible().is_empty());
        tokio::time::advance(HIDDEN).await;
        assert_eq!(queue.visible(), [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_can_be_hidden_for_longer_by_whoever_has_its_last_receipt() {
        let mut queue = queue();
        let first = queue.receive(1, Duration::ZERO, 5).unwrap().unwrap();
        let second = queue.receive(1, HIDDEN, 5).unwrap().unwrap();
        assert!(!queue.hide_received(first.receipt, 2 * HIDDEN));
        assert!(queue.hide_received(second.receipt, 2 * HIDDEN));
        tokio::time::advance(HIDDEN).await;
        assert!(queue.visible().is_empty());
        tokio::time::advance(HIDDEN).await;
        assert_eq!(queue.visible(), [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_is_kept_for_too_long_is_lost_though_it_be_hidden() {
        let mut queue = queue();
        queue.receive(1, 3 * HIDDEN, 5).unwrap().unwrap();
        tokio::time::advance(HIDDEN).await;
        assert!(queue.expire(HIDDEN).is_empty());
        tokio::time::advance(HIDDEN).await;
        assert_eq!(queue.expire(HIDDEN), ["a"]);
        assert_eq!((queue.bodies().count(), queue.dead.len()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn an_older_receipt_holds_nothing() {
        let mut queue = queue();
        let first = queue.receive(1, Duration::ZERO, 5).unwrap().unwrap();
        let second = queue.receive(1, HIDDEN, 5).unwrap().unwrap();
        assert!(queue.held_by(1, first.receipt).is_none());
        assert!(queue.held_by(1, second.receipt).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_received_too_often_is_dead_and_whole() {
        let mut queue = queue();
        for receives in 1..=2 {
            assert_eq!(queue.receive(1, Duration::ZERO, 2).unwrap().unwrap().receives, receives);
        }
        assert_eq!(queue.receive(1, Duration::ZERO, 2).unwrap_err(), "a");
        assert_eq!((queue.bodies().count(), queue.dead[0].body.as_str()), (0, "A"));
    }
}
