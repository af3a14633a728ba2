//! The Pulumi program with what its references stand for once it is deployed.

use anyhow::{Context, bail, ensure};
use domain::contract::Service;
use local::{ACCOUNT_ID, REGION};
use pulumi::Program;
use pulumi::resource::Resource;
use serde_json::Value;

/// A program and the one thing of its deployment that its names do not tell.
pub(crate) struct Deployed<'a> {
    pub(crate) program: &'a Program,
    /// KMS gives its keys random ids.
    pub(crate) kms_key_arn: &'a str,
}

impl<'a> Deployed<'a> {
    /// The resources of a kind.
    pub(crate) fn all(&self, kind: &str) -> impl Iterator<Item = &'a Resource> {
        self.program.resources().iter().filter(move |resource| resource.kind == kind)
    }

    /// A property, by its path, such as `/destinationConfig/onFailure/destination`.
    pub(crate) fn property(&self, of: &Resource, path: &str) -> anyhow::Result<String> {
        self.find(of, path)?.with_context(|| format!("{} has no text at {path}", of.name))
    }

    /// A property that need not be there.
    pub(crate) fn find(&self, of: &Resource, path: &str) -> anyhow::Result<Option<String>> {
        let properties = Value::Object(of.properties.clone());
        let value = properties.pointer(path).and_then(Value::as_str);
        value.map(|text| self.text(text)).transpose()
    }

    /// The service whose function a property names.
    pub(crate) fn service(&self, of: &Resource, path: &str) -> anyhow::Result<Service> {
        let name = self.property(of, path)?;
        let service = Service::ALL.into_iter().find(|service| name.ends_with(&format!("-{}", service.name())));
        service.with_context(|| format!("{name} is the function of no service"))
    }

    /// A value with every reference in it replaced.
    pub(crate) fn value(&self, value: &Value) -> anyhow::Result<Value> {
        Ok(match value {
            Value::String(text) => Value::String(self.text(text)?),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect::<anyhow::Result<_>>()?,
            Value::Object(object) => {
                let pairs = object.iter().map(|(key, value)| Ok((key.clone(), self.value(value)?)));
                Value::Object(pairs.collect::<anyhow::Result<_>>()?)
            }
            plain => plain.clone(),
        })
    }

    /// A text with every `${…}` in it replaced, and `$$` by the dollar sign that it stands for.
    fn text(&self, text: &str) -> anyhow::Result<String> {
        let mut resolved = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            resolved.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                resolved.push('$');
                rest = after;
            } else {
                let reference = after.strip_prefix('{').and_then(|after| after.split_once('}'));
                let (reference, after) = reference.with_context(|| format!("a lone dollar sign in {text}"))?;
                resolved.push_str(&self.reference(reference)?);
                rest = after;
            }
        }
        Ok(resolved + rest)
    }

    fn reference(&self, reference: &str) -> anyhow::Result<String> {
        let (name, attribute) = match reference {
            "accountId" => return Ok(ACCOUNT_ID.to_owned()),
            "region" => return Ok(REGION.to_owned()),
            "partition" => return Ok("aws".to_owned()),
            _ => reference.split_once('.').with_context(|| format!("{reference} refers to a whole resource"))?,
        };
        let resource = self.program.resources().iter().find(|resource| resource.name == name);
        self.attribute(resource.with_context(|| format!("there is no resource {name}"))?, attribute)
    }

    /// An attribute that AWS tells once the resource stands, such as `arn`. The forms of ARNs:
    /// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html>.
    pub(crate) fn attribute(&self, of: &Resource, attribute: &str) -> anyhow::Result<String> {
        let name = || self.property(of, "/name");
        let here = |service: &str, thing: &str| -> anyhow::Result<String> {
            Ok(format!("arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{thing}{}", name()?))
        };
        match (of.kind, attribute) {
            ("aws:kms:Key", "arn") => Ok(self.kms_key_arn.to_owned()),
            ("aws:s3:Bucket", "bucket") => self.property(of, "/bucket"),
            ("aws:s3:Bucket", "arn") => Ok(format!("arn:aws:s3:::{}", self.property(of, "/bucket")?)),
            (_, "name") => name(),
            ("aws:cloudwatch:LogGroup", "arn") => here("logs", "log-group:"),
            ("aws:iam:Role", "arn") => Ok(format!("arn:aws:iam::{ACCOUNT_ID}:role/{}", name()?)),
            ("aws:lambda:Function", "arn") => here("lambda", "function:"),
            ("aws:sns:Topic", "arn") => here("sns", ""),
            ("aws:sqs:Queue", "arn") => here("sqs", ""),
            // Its name begins with a slash.
            ("aws:ssm:Parameter", "arn") => here("ssm", "parameter"),
            (kind, _) => bail!("what the {attribute} of a {kind} is once deployed is not known here: {}", of.name),
        }
    }
}

/// A policy document of the program: `{"fn::toJSON": {…}}`.
pub(crate) fn document<'a>(of: &'a Resource, property: &str) -> anyhow::Result<&'a Value> {
    let document = of.properties.get(property).and_then(|policy| policy.get("fn::toJSON"));
    let document = document.with_context(|| format!("{} has no document {property}", of.name))?;
    ensure!(document.is_object(), "the document {property} of {} is no object", of.name);
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_the_names_that_are_deployed() {
        let program = pulumi::program(&pulumi::Config::read("local", None).unwrap());
        let deployed = Deployed { program: &program, kms_key_arn: "arn:key" };
        let text = |text: &str| deployed.text(text).unwrap();
        assert_eq!(text("${moviesBucket.arn}/runs/*"), "arn:aws:s3:::movie-pipeline-local-movies-123456789012/runs/*");
        assert_eq!(text("${moviesQueue.arn}"), "arn:aws:sqs:eu-central-1:123456789012:movie-pipeline-local-movies");
        let parameter = "arn:aws:ssm:eu-central-1:123456789012:parameter/movie-pipeline/local/omdb-api-key";
        assert_eq!(text("${omdbApiKeyParameter.arn}"), parameter);
        assert_eq!(text("${key.arn} costs $$1"), "arn:key costs $1");
        assert!(deployed.text("${nobody.arn}").is_err() && deployed.text("${moviesTopic.owner}").is_err());
    }
}
