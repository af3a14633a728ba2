//! A dashboard body as AWS documents it
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>), as far as
//! ours uses it: a name that is not there, or a value of another type, is refused. `start` and `setPeriodToTimeRange` of
//! a widget stand in another page of AWS
//! (<https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_cloudwatch.SingleValueWidgetProps.html>).

#![expect(dead_code, reason = "what is only checked for its type is not read")]

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Body {
    pub(super) start: String,
    pub(super) period_override: PeriodOverride,
    pub(super) widgets: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PeriodOverride {
    Inherit,
    Auto,
}

/// One widget. All of ours say where they stand: CloudWatch would otherwise choose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Placed {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) properties: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Text,
    Alarm,
    Metric,
    Log,
}

#[derive(Debug)]
pub(super) enum Content {
    Text(Text),
    Alarm(AlarmStatus),
    Metric(Box<Chart>),
    Log(Log),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    pub(super) markdown: String,
    background: Option<Background>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Background {
    Transparent,
    Solid,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct AlarmStatus {
    pub(super) title: String,
    pub(super) alarms: Vec<String>,
    sort_by: Option<SortBy>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum SortBy {
    Default,
    StateUpdatedTimestamp,
    Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) region: String,
    pub(super) view: View,
    pub(super) stat: String,
    pub(super) period: u32,
    pub(super) start: Option<String>,
    set_period_to_time_range: Option<bool>,
    pub(super) y_axis: Option<YAxes>,
    pub(super) metrics: Vec<Vec<Value>>,
    #[serde(default)]
    pub(super) annotations: Annotations,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum View {
    TimeSeries,
    SingleValue,
    Gauge,
    Bar,
    Pie,
    Table,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct YAxes {
    pub(super) left: Option<YAxis>,
    right: Option<YAxis>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct YAxis {
    label: Option<String>,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    show_units: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Annotations {
    #[serde(default)]
    pub(super) horizontal: Vec<Line>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Line {
    pub(super) label: String,
    pub(super) value: f64,
    color: Option<String>,
    y_axis: Option<Side>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Side {
    Left,
    Right,
}

/// The last item of a metric's row.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Rendering {
    pub(super) id: Option<String>,
    pub(super) label: Option<String>,
    pub(super) stat: Option<String>,
    period: Option<u32>,
    visible: Option<bool>,
    color: Option<String>,
    y_axis: Option<Side>,
}

/// The only item of an expression's row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Math {
    pub(super) expression: String,
    pub(super) id: String,
    label: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    pub(super) title: String,
    pub(super) region: String,
    pub(super) query: String,
    view: Option<LogView>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum LogView {
    Table,
    TimeSeries,
    Bar,
    Pie,
}

impl Body {
    pub(super) fn read(body: &Value) -> Result<Self, String> {
        Self::deserialize(body).map_err(|error| format!("the dashboard: {error}"))
    }
}

impl Placed {
    pub(super) fn read(widget: &Value) -> Result<Self, String> {
        Self::deserialize(widget).map_err(|error| format!("{}: {error}", title(widget)))
    }

    pub(super) fn content(&self) -> Result<Content, String> {
        let properties = &self.properties;
        let content = match self.kind {
            Kind::Text => Text::deserialize(properties).map(Content::Text),
            Kind::Alarm => AlarmStatus::deserialize(properties).map(Content::Alarm),
            Kind::Metric => Chart::deserialize(properties).map(Box::new).map(Content::Metric),
            Kind::Log => Log::deserialize(properties).map(Content::Log),
        };
        content.map_err(|error| format!("{}: {error}", self.title()))
    }

    /// What a fault calls it.
    pub(super) fn title(&self) -> &str {
        self.properties["title"].as_str().or(self.properties["markdown"].as_str()).unwrap_or("a widget without a title")
    }
}

fn title(widget: &Value) -> &str {
    widget["properties"]["title"].as_str().unwrap_or("a widget without a title")
}
