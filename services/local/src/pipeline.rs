//! A whole pipeline on this machine: what `cargo local` runs and what tests start.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, bail};
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sns::types::MessageAttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use chrono::{DateTime, Utc};
use domain::contract::Service;
use domain::contract::environment::MOVIES_QUEUE_VISIBILITY_TIMEOUT_SECONDS;
use domain::message::TRACEPARENT_ATTRIBUTE;
use pulumi::Program;
use serde_json::Value;

use crate::api_key::ApiKey;
use crate::artefacts;
use crate::aws::Clients;
use crate::deploy::{self, Deployment, SOURCE_BUCKET, SOURCE_KEY};
use crate::emulator::{self, Emulator};
use crate::fault::Fault;
use crate::leaks::{self, Heard, Leak, Needles};
use crate::omdb::{self, OmdbStandIn};
use crate::options::Options;
use crate::permissions::Permissions;
use crate::progress::Progress;
use crate::python::Python;
use crate::recorder::Recorder;
use crate::schedule::ScheduledEvent;
use crate::traces::TraceReceiver;

/// More than anything takes that a test or a drill waits for, on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// A running pipeline. Everything it started ends when it is dropped.
#[derive(Debug)]
pub struct Pipeline {
    // First, so that no function runs any more when what it talks to goes.
    emulator: Emulator,
    recorder: Option<Recorder>,
    clients: Clients,
    program: Program,
    deployment: Deployment,
    omdb: Option<OmdbStandIn>,
    traces: TraceReceiver,
    /// What a search for the OMDb key looks for, and in what besides the local AWS.
    needles: Option<Needles>,
    heard: Heard,
    started: SystemTime,
    progress: Progress,
}

/// What a function answered to a synchronous invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It succeeded, with this value.
    Success(Value),
    /// It failed, with this error: `{"errorType": …, "errorMessage": …}`.
    Failure(Value),
}

impl Pipeline {
    /// Builds, starts and deploys everything; afterwards the pipeline waits for its schedule.
    ///
    /// # Errors
    /// [`Fault`] when the machine lacks something; other errors when the deployment fails.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let started = SystemTime::now();
        let progress = options.progress;
        let python = Python::prepare(&emulator::TOOL, progress).await?;
        let artefacts = match &options.functions {
            Some(functions) => functions,
            None => artefacts::get(progress).await?,
        };
        let heard = Heard::default();
        let traces =
            TraceReceiver::start(&heard).await.map_err(Fault::machine("the trace receiver cannot be started"))?;
        let omdb = start_omdb(&options, &heard).await?;
        let program = deploy::program(&options.stack_configuration(omdb.as_ref(), &traces))?;
        let recorder = start_recorder(&options.permissions, &heard).await?;
        let how = emulator::How {
            permissions: &options.permissions,
            recorder: recorder.as_ref(),
            async_retry_delay: options.async_retry_delay,
            is_durable: options.is_durable,
        };
        let emulator = progress.step("Starting the local AWS", Emulator::start(&python, &how)).await?;
        if let Some(recorder) = &recorder {
            recorder.forward_to(emulator.port());
        }
        let clients = Clients::new(&emulator.endpoint());
        let deploying = deploy::deploy(&clients, &program, artefacts, &options.permissions);
        let deployment = progress.step("Deploying the Pulumi program", deploying).await?;
        let mut pipeline = Self {
            emulator,
            recorder,
            clients,
            program,
            deployment,
            omdb,
            traces,
            needles: None,
            heard,
            started,
            progress,
        };
        pipeline.furnish(options).await?;
        Ok(pipeline)
    }

    /// What lies outside the program: the OMDb key, the source object.
    async fn furnish(&mut self, options: Options) -> anyhow::Result<()> {
        let key = options.real_omdb.as_ref().map_or(omdb::KEY, ApiKey::expose);
        self.put_omdb_key(key).await?;
        self.needles = Needles::of(key);
        if let Some(source) = options.source {
            self.put_source(source).await?;
        }
        if let Some(delay) = options.redelivery_delay {
            self.set_redelivery_delay(delay).await?;
            // Before the first environment starts. Later changes are of the queue alone: whoever makes them wants that.
            let (seconds, name) = (delay.as_secs().to_string(), MOVIES_QUEUE_VISIBILITY_TIMEOUT_SECONDS.name);
            self.set_variable(Service::Enricher, name, &seconds).await?;
        }
        Ok(())
    }

    /// The clients of the local AWS.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// What was deployed.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The local AWS.
    #[must_use]
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// What keeps the functions' calls; nothing when their permissions are not watched.
    #[must_use]
    pub fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    /// The Pulumi program that was deployed.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The stand-in for OMDb; nothing when the real one is asked.
    #[must_use]
    pub fn omdb(&self) -> Option<&OmdbStandIn> {
        self.omdb.as_ref()
    }

    /// The receiver of traces.
    #[must_use]
    pub fn traces(&self) -> &TraceReceiver {
        &self.traces
    }

    /// When it was started.
    #[must_use]
    pub fn started(&self) -> SystemTime {
        self.started
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }

    /// Ends the local AWS cleanly and starts it again with the state that it kept, which needs a durable one. Events
    /// that the ranker has not done yet are lost, which on AWS they are not.
    ///
    /// # Errors
    /// It does not start again.
    pub async fn restart_aws(&self) -> Result<(), Fault> {
        self.emulator.restart().await
    }

    /// Ends everything and tells where the OMDb key got out, over which dropping the pipeline panics.
    #[must_use]
    pub fn end(mut self) -> Vec<Leak> {
        self.end_and_search()
    }

    /// The second time it finds nothing, since the first one takes what is searched for.
    fn end_and_search(&mut self) -> Vec<Leak> {
        let ending = self.emulator.end();
        let Some(needles) = self.needles.take() else { return Vec::new() };
        let parameter = &self.deployment.omdb_api_key_parameter;
        let mut found = leaks::search_folder(self.emulator.folder(), ending, &needles, parameter);
        found.extend(self.heard.search(&needles));
        found
    }

    /// What is heard while it runs, to be searched for the OMDb key when it ends.
    pub(crate) fn heard(&self) -> &Heard {
        &self.heard
    }

    /// Puts a source object in the place of the present one.
    pub async fn put_source(&self, source: Vec<u8>) -> anyhow::Result<()> {
        let put = self.clients.s3.put_object().bucket(SOURCE_BUCKET).key(SOURCE_KEY).body(source.into());
        put.send().await.context("putting the source object")?;
        Ok(())
    }

    /// Puts another OMDb key where the enricher reads it.
    pub async fn put_omdb_key(&self, key: &str) -> anyhow::Result<()> {
        deploy::put_api_key(&self.clients, &self.deployment, key).await
    }

    /// Sets after how long SQS delivers a failed message again.
    pub async fn set_redelivery_delay(&self, delay: Duration) -> anyhow::Result<()> {
        let set = self.clients.sqs.set_queue_attributes().queue_url(&self.deployment.queue_url);
        set.attributes(QueueAttributeName::VisibilityTimeout, delay.as_secs().to_string())
            .send()
            .await
            .context("setting the queue's visibility timeout")?;
        Ok(())
    }

    /// The schedule's event of a time.
    ///
    /// # Errors
    /// [`domain::run::RunError`] for a year without four digits.
    pub fn event_at(&self, time: DateTime<Utc>) -> Result<ScheduledEvent, domain::run::RunError> {
        ScheduledEvent::at(time, &self.deployment.rule_arn())
    }

    /// Sends an event to the schedule's target as EventBridge does: asynchronously, Lambda retries.
    pub async fn fire(&self, event: &ScheduledEvent) -> anyhow::Result<()> {
        let invoke = self.clients.lambda.invoke().function_name(&self.deployment.ranker_function);
        let payload = event.json().to_string().into_bytes();
        let invoke = invoke.invocation_type(InvocationType::Event).payload(payload.into());
        invoke.send().await.context("firing the schedule's target")?;
        Ok(())
    }

    /// Invokes a function and waits for its answer; nothing is tried again.
    pub async fn invoke(&self, service: Service, payload: &Value) -> anyhow::Result<Answer> {
        let invoke = self.clients.lambda.invoke().function_name(self.deployment.function(service));
        let answer = invoke.payload(payload.to_string().into_bytes().into()).send().await?;
        let value = serde_json::from_slice(answer.payload().map_or(b"null".as_slice(), AsRef::as_ref))?;
        Ok(if answer.function_error().is_some() { Answer::Failure(value) } else { Answer::Success(value) })
    }

    /// Publishes one message on the topic, as the ranker would.
    pub async fn publish(&self, body: &str, traceparent: Option<&str>) -> anyhow::Result<()> {
        let mut publish = self.clients.sns.publish().topic_arn(&self.deployment.topic_arn).message(body);
        if let Some(traceparent) = traceparent {
            let value = MessageAttributeValue::builder().data_type("String").string_value(traceparent).build()?;
            publish = publish.message_attributes(TRACEPARENT_ATTRIBUTE, value);
        }
        publish.send().await.context("publishing a message")?;
        Ok(())
    }

    /// Asks again and again until the answer is there, at most `timeout` long.
    ///
    /// # Errors
    /// What asking failed with, or that `what` did not happen in time.
    pub async fn eventually<T>(
        &self,
        what: &str,
        timeout: Duration,
        mut ask: impl AsyncFnMut(&Self) -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let start = Instant::now();
        loop {
            if let Some(answer) = ask(self).await? {
                return Ok(answer);
            }
            if start.elapsed() >= timeout {
                bail!("{what}: not within {} s", timeout.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Pipeline {
    /// # Panics
    /// When the OMDb key got out.
    fn drop(&mut self) {
        leaks::assert_none(&self.end_and_search());
    }
}

async fn start_recorder(permissions: &Permissions, heard: &Heard) -> Result<Option<Recorder>, Fault> {
    if *permissions == Permissions::Unwatched {
        return Ok(None);
    }
    let recorder = Recorder::start(heard).await;
    recorder.map(Some).map_err(Fault::machine("the recorder of AWS calls cannot be started"))
}

async fn start_omdb(options: &Options, heard: &Heard) -> Result<Option<OmdbStandIn>, Fault> {
    if options.real_omdb.is_some() {
        return Ok(None);
    }
    let source = options.source.as_deref().unwrap_or_default();
    let stand_in = OmdbStandIn::start(source, heard).await;
    stand_in.map(Some).map_err(Fault::machine("the stand-in for OMDb cannot be started"))
}
