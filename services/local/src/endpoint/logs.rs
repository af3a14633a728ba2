//! The functions' logs, read page by page.

use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsError;
use chrono::{DateTime, TimeDelta, Utc};
use domain::contract::Service;

use super::{Action, Endpoint, EndpointFault};

/// Logs may carry the clock of another machine than an event or a queue's time.
pub(crate) const CLOCKS_DIFFER_BY: TimeDelta = TimeDelta::minutes(5);

impl Endpoint {
    /// Time in milliseconds since 1970 and text of what a function logged from `since` on; with a `pattern`, only what
    /// fits it. A log group that is gone has nothing.
    pub(crate) async fn log_events(
        &self,
        service: Service,
        since: DateTime<Utc>,
        pattern: Option<String>,
    ) -> Result<Vec<(i64, String)>, EndpointFault> {
        let group = self.names().log_group(service);
        let filter = self.clients().logs.filter_log_events().log_group_name(group).set_filter_pattern(pattern);
        let mut pages = filter.start_time(since.timestamp_millis()).into_paginator().send();
        let mut events = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error)
                    if error.as_service_error().is_some_and(FilterLogEventsError::is_resource_not_found_exception) =>
                {
                    break;
                }
                Err(error) => return Err(self.refusal(Action::FilterLogEvents, group)(error)),
            };
            let of_page = page.events().iter();
            events.extend(of_page.filter_map(|event| Some((event.timestamp()?, event.message()?.to_owned()))));
        }
        Ok(events)
    }
}
