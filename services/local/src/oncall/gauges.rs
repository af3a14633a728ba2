//! Gauges on a running pipeline: what AWS would report as metrics and the local AWS does not, and what it does.

mod custom;
pub(crate) mod delivery;
mod events;
mod functions;
mod queues;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use alarms::Metric;
use anyhow::Context;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::recording::{Leap, Recording};
use crate::pipeline::Pipeline;
use events::Events;
use queues::Queues;

/// Six virtual seconds.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long the functions may take to send their telemetry after the work is done; their own budget is 2 s.
const SETTLING: Duration = Duration::from_millis(2500);

/// Gauges that are being read since the schedule was to fire. They stop when this is dropped.
#[derive(Debug)]
pub(crate) struct Gauges {
    fired: SystemTime,
    noted: Arc<Mutex<Recording>>,
    stop: oneshot::Sender<()>,
    reading: JoinHandle<anyhow::Result<Queues>>,
}

impl Gauges {
    /// Starts to read them; from now on times are counted.
    pub(crate) async fn start(pipeline: &Pipeline) -> anyhow::Result<Self> {
        let fired = SystemTime::now();
        let noted = Arc::<Mutex<Recording>>::default();
        let mut queues = Queues::of(pipeline, fired).await?;
        let mut events = Events::of(pipeline, fired, Arc::clone(&noted)).await?;
        queues.look().await?;
        let (stop, mut stopped) = oneshot::channel();
        let reading = tokio::spawn(async move {
            loop {
                let last = tokio::select! {
                    _ = &mut stopped => true,
                    () = tokio::time::sleep(INTERVAL) => false,
                };
                events.look().await?;
                queues.look().await?;
                if last {
                    return Ok(queues);
                }
            }
        });
        Ok(Self { fired, noted, stop, reading })
    }

    /// Adds something that was counted now.
    pub(crate) fn note(&self, metric: Metric, value: f64) {
        lock(&self.noted).count(metric, since(self.fired), value);
    }

    /// How much of a metric was counted so far.
    pub(crate) fn noted(&self, name: &str) -> f64 {
        let noted = lock(&self.noted);
        noted.observations.iter().filter(|seen| seen.metric.name == name).map(|seen| seen.value).sum()
    }

    /// How much virtual time passed at once so far.
    pub(crate) fn leapt(&self) -> Duration {
        lock(&self.noted).leapt()
    }

    /// Lets virtual time pass at once, and stand still until the work is done.
    pub(crate) async fn leap(
        &self,
        by: Duration,
        work: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        // What was done before is reported by then, and so told of the time before.
        tokio::time::sleep(SETTLING).await;
        // Of a metric's time the local AWS tells the second's beginning.
        let from = since(self.fired).saturating_sub(Duration::from_secs(1));
        work.await?;
        lock(&self.noted).leaps.push(Leap { from, until: since(self.fired), by });
        Ok(())
    }

    /// Waits for the last telemetry, and reads what can be read afterwards.
    pub(crate) async fn finish(self, pipeline: &Pipeline) -> anyhow::Result<Recording> {
        tokio::time::sleep(SETTLING).await;
        let _ = self.stop.send(());
        let queues = self.reading.await.context("reading the gauges")??;
        let mut recording = std::mem::take(&mut *lock(&self.noted));
        functions::read(pipeline, self.fired, &queues, &mut recording).await?;
        recording.observations.extend(custom::read(pipeline.clients(), self.fired).await?);
        recording.queues = queues.into_traces();
        Ok(recording)
    }
}

fn since(fired: SystemTime) -> Duration {
    SystemTime::now().duration_since(fired).unwrap_or_default()
}

fn lock(recording: &Mutex<Recording>) -> MutexGuard<'_, Recording> {
    // The data is whole after any panic: every change to it is one push.
    recording.lock().unwrap_or_else(PoisonError::into_inner)
}
