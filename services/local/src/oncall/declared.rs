//! The alarms of the Pulumi program, references resolved to the names they are deployed under.

use std::collections::BTreeMap;

use alarms::Resource;
use anyhow::{Context, bail};
use pulumi::Program;
use serde_json::{Map, Value};

use crate::emulator::{ACCOUNT_ID, REGION};
use crate::pipeline::Pipeline;

/// Every alarm that the program declares, in its order.
pub(crate) fn declared(program: &Program) -> anyhow::Result<Vec<Resource>> {
    let scope: Scope = program.resources().iter().map(|resource| (resource.name, resource)).collect();
    let alarms = program.resources().iter().filter(|resource| resource.kind.starts_with("aws:cloudwatch:"));
    let alarms = alarms.filter(|resource| resource.kind.ends_with("Alarm"));
    alarms
        .map(|alarm| {
            let properties = Value::Object(alarm.properties.clone());
            let properties = resolved(&scope, &properties).with_context(|| format!("resolving {}", alarm.name))?;
            Ok(Resource { resource_type: alarm.kind.to_owned(), properties })
        })
        .collect()
}

/// The names of every queue that the program declares, in its order.
pub(super) fn queues(program: &Program) -> anyhow::Result<Vec<String>> {
    let scope: Scope = program.resources().iter().map(|resource| (resource.name, resource)).collect();
    let queues = program.resources().iter().filter(|resource| resource.kind == "aws:sqs:Queue");
    queues.map(|queue| referred(&scope, &format!("{}.name", queue.name))).collect()
}

/// Where the subscription's redrive policy lets SNS leave what it cannot deliver.
pub(crate) async fn url_of_undelivered(pipeline: &Pipeline) -> anyhow::Result<String> {
    let scope: Scope = pipeline.program().resources().iter().map(|resource| (resource.name, resource)).collect();
    let reference = pipeline.program().outputs()["subscriptionDeadLetterQueueUrl"].as_str().unwrap_or_default();
    let queue = reference.strip_prefix("${").and_then(|reference| reference.split('.').next()).unwrap_or_default();
    let name = referred(&scope, &format!("{queue}.name"))?;
    let answer = pipeline.clients().sqs.get_queue_url().queue_name(&name).send().await;
    let answer = answer.with_context(|| format!("looking for the queue {name}"))?;
    Ok(answer.queue_url().context("the queue has no URL")?.to_owned())
}

type Scope<'a> = BTreeMap<&'a str, &'a pulumi::resource::Resource>;

fn resolved(scope: &Scope, value: &Value) -> anyhow::Result<Value> {
    Ok(match value {
        Value::String(text) => Value::String(filled_in(scope, text)?),
        Value::Array(items) => items.iter().map(|item| resolved(scope, item)).collect::<anyhow::Result<_>>()?,
        Value::Object(object) => {
            let entry = |(name, value): (&String, &Value)| Ok((name.clone(), resolved(scope, value)?));
            Value::Object(object.iter().map(entry).collect::<anyhow::Result<Map<_, _>>>()?)
        }
        other => other.clone(),
    })
}

/// A text of Pulumi YAML: `$$` is a dollar sign, `${…}` a reference.
fn filled_in(scope: &Scope, text: &str) -> anyhow::Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        rest = if let Some(after) = after.strip_prefix('$') {
            filled.push('$');
            after
        } else {
            let (reference, after) =
                after.strip_prefix('{').and_then(|after| after.split_once('}')).context("a lone $")?;
            filled.push_str(&referred(scope, reference)?);
            after
        };
    }
    Ok(filled + rest)
}

fn referred(scope: &Scope, reference: &str) -> anyhow::Result<String> {
    match reference {
        "accountId" => return Ok(ACCOUNT_ID.to_owned()),
        "region" => return Ok(REGION.to_owned()),
        "partition" => return Ok("aws".to_owned()),
        _ => {}
    }
    let (name, attribute) =
        reference.split_once('.').with_context(|| format!("${{{reference}}} names no attribute"))?;
    let resource = scope.get(name).with_context(|| format!("${{{reference}}} names no resource"))?;
    let property = |property: &str| {
        let value = resource.properties.get(property).and_then(Value::as_str);
        filled_in(scope, value.with_context(|| format!("{name} has no {property}"))?)
    };
    match (resource.kind, attribute) {
        ("aws:sns:Topic", "arn") => Ok(format!("arn:aws:sns:{REGION}:{ACCOUNT_ID}:{}", property("name")?)),
        (_, "name" | "alarmName") => property(attribute),
        (kind, _) => bail!("it is not known here what ${{{reference}}} of a {kind} is"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alarm_of_the_program_can_be_evaluated_and_nothing_in_it_is_left_to_fill_in() {
        let program = crate::deploy::program(&crate::deploy::Configuration::new()).unwrap();
        let declared = declared(&program).unwrap();
        assert_eq!(alarms::Evaluator::new(&declared).unwrap().alarms().len(), declared.len());
        assert!(declared.len() > pulumi::alarms::ALARMS.len());
        for alarm in declared {
            assert!(!alarm.properties.to_string().contains("${"), "{}", alarm.properties);
        }
    }

    #[test]
    fn texts_are_filled_in_as_pulumi_fills_them_in() {
        let scope = Scope::new();
        assert_eq!(filled_in(&scope, "a $$ in ${region}, ${partition}").unwrap(), "a $ in eu-central-1, aws");
        assert!(filled_in(&scope, "${nobody.name}").unwrap_err().to_string().contains("nobody"));
    }
}
