//! Environment variables of a function that runs already.

use std::collections::HashMap;

use anyhow::Context;
use aws_sdk_lambda::types::Environment;
use domain::contract::Service;

use crate::pipeline::Pipeline;

impl Pipeline {
    /// Sets a variable of a function beside those that it has. Environments that run with the old ones end.
    ///
    /// # Errors
    /// The local AWS does not take it.
    pub async fn set_variable(&self, service: Service, name: &str, value: &str) -> anyhow::Result<()> {
        let (lambda, function) = (&self.clients().lambda, self.deployment().function(service));
        let present = lambda.get_function_configuration().function_name(function).send().await;
        let present = present.with_context(|| format!("reading the variables of {function}"))?;
        let variables = present.environment().and_then(|environment| environment.variables());
        let mut variables: HashMap<_, _> = variables.cloned().unwrap_or_default();
        variables.insert(name.to_owned(), value.to_owned());
        let environment = Environment::builder().set_variables(Some(variables)).build();
        let update = lambda.update_function_configuration().function_name(function).environment(environment);
        update.send().await.with_context(|| format!("setting {name} of {function}")).map(|_| ())
    }
}
