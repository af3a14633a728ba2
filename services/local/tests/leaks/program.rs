//! What is deployed: the program is configured with the key, and never holds it.

use local::{OMDB_STAND_IN_KEY as KEY, assert_no_canary};
use pulumi::template::cloudformation;
use pulumi::{Config, program};
use serde_json::json;

#[test]
fn neither_form_of_the_program_nor_a_fault_of_its_configuration_holds_the_key() {
    for stack in ["dev", "prod"] {
        let config = json!({"movie-pipeline:omdbApiKey": KEY, "movie-pipeline:alarmEmail": "you@example.com"});
        let program = program(&Config::read(stack, Some(&config.to_string())).unwrap());
        assert_no_canary("the program", program.to_json().to_string().as_bytes());
        assert_no_canary("the template", cloudformation(&program).unwrap().body.to_string().as_bytes());
        assert_no_canary("the program's Debug", format!("{program:?}").as_bytes());
        for setting in pulumi::config::settings::ALL {
            let config = json!({setting.key(): {"unexpected": KEY}, "movie-pipeline:noSuchSetting": KEY});
            let faults = Config::read(stack, Some(&config.to_string())).unwrap_err();
            assert_no_canary(setting.name, format!("{faults} {faults:?}").as_bytes());
        }
    }
}
