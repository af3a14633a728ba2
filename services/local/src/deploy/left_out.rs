//! What the local AWS cannot make, taken out of the template. It knows no composite alarms, no metric math and no
//! saved queries.

use serde_json::Value;

/// The template as the local AWS takes it. Where something refers to the ARN of what is left out, as the dashboard does,
/// the ARN that it would have stands instead.
pub(super) fn without_unknown(mut template: Value) -> String {
    let mut left_out = Vec::new();
    if let Some(resources) = template["Resources"].as_object_mut() {
        resources.retain(|id, resource| {
            let is_known = is_known(resource);
            if !is_known {
                left_out.push((id.clone(), resource["Properties"]["AlarmName"].clone()));
            }
            is_known
        });
    }
    left_out.iter().fold(template.to_string(), |text, (id, name)| {
        let name = name.as_str().unwrap_or_default();
        let arn = format!("arn:${{AWS::Partition}}:cloudwatch:${{AWS::Region}}:${{AWS::AccountId}}:alarm:{name}");
        text.replace(&format!("${{{id}.Arn}}"), &arn)
    })
}

fn is_known(resource: &Value) -> bool {
    const UNKNOWN: [&str; 2] = ["AWS::CloudWatch::CompositeAlarm", "AWS::Logs::QueryDefinition"];
    let is_math = resource["Type"] == "AWS::CloudWatch::Alarm" && resource["Properties"].get("Metrics").is_some();
    !is_math && UNKNOWN.iter().all(|kind| resource["Type"] != *kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn composite_alarms_and_metric_math_are_left_out_and_their_arns_written_out() {
        let plain =
            json!({"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "late", "MetricName": "Runs"}});
        let math = json!({"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "stalls", "Metrics": []}});
        let page = json!({"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmName": "page"}});
        let dashboard = |alarms: &str| json!({"Properties": {"DashboardBody": {"Fn::Sub": alarms}}});
        let of = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:";
        let template = json!({"Resources": {
            "Late": plain, "Stalls": math, "Page": page, "Dashboard": dashboard("${Late.Arn} ${Stalls.Arn} ${Page.Arn}"),
        }});
        let expected = json!({"Resources": {
            "Late": plain, "Dashboard": dashboard(&format!("${{Late.Arn}} {of}stalls {of}page")),
        }});
        let adapted: Value = serde_json::from_str(&without_unknown(template)).unwrap();
        assert_eq!(adapted, expected);
    }

    #[test]
    fn nothing_in_the_program_refers_to_what_is_left_out() {
        let program = super::super::program(&super::super::Configuration::new()).unwrap();
        let template = pulumi::template::cloudformation(&program).unwrap().body;
        let whole = template["Resources"].as_object().unwrap().len();
        let adapted = without_unknown(template);
        let left: Value = serde_json::from_str(&adapted).unwrap();
        assert_eq!(whole - left["Resources"].as_object().unwrap().len(), 4);
        for id in ["PageAlarm", "TicketAlarm", "QueueStallsAlarm", "HowFastQuery"] {
            assert!(!adapted.contains(id), "{id}");
        }
    }
}
