//! Rules in the file.

use super::*;

const RULE: &str = "[[automations]]\nname = \"tell\"\n";

fn error(rest: &str) -> String {
    let told = World::new(&format!("{RULE}{rest}")).error();
    told.lines().next().unwrap().to_owned()
}

#[test]
fn what_is_wrong_with_a_rule_is_named_with_its_line_and_key() {
    let hook = "webhook = { url = \"http://a/\" }\n";
    assert_eq!(
        error("times = 0\nwithin = \"1m\"\nwebhook = { url = \"http://a/\" }"),
        "daybook.toml:3:9: automations.tell.times: must be a whole number from 1 to 1000"
    );
    assert_eq!(
        error("[automations.webhook]\nurl = \"a\""),
        "daybook.toml:4:7: automations.tell.webhook.url: must begin with http:// or https://"
    );
    let told = error(&format!("{hook}filters = {{ category = \"No\" }}"));
    let begins = "daybook.toml:4:24: automations.tell.filters.category: must be names of";
    assert!(told.starts_with(begins), "{told}");
    let told = error("");
    assert!(told.starts_with("daybook.toml:1:"), "{told}");
    assert!(
        told.contains("automations.tell.webhook: is missing"),
        "{told}"
    );
    let told = error(&format!("{hook}{RULE}{hook}"));
    assert!(told.contains("twice"), "{told}");
}

#[test]
fn a_secret_comes_from_a_file_or_the_environment_and_is_never_printed() {
    let rule = |more: &str| format!("{RULE}webhook = {{ url = \"http://a/\", {more} }}\n");
    let world = World::new(&rule("secret_env = \"HOOK\"")).variable("HOOK", "hush-1");
    let loaded = world.loaded();
    assert!(!format!("{loaded:?}").contains("hush-1"));
    let told = World::new(&rule("secret_env = \"HOOK\"")).error();
    assert!(
        told.contains("automations.tell.webhook.secret_env: the environment has no HOOK"),
        "{told}"
    );
    let told = World::new(&rule("secret_file = \"/no/such\"")).error();
    assert!(
        told.contains("automations.tell.webhook.secret_file: /no/such: "),
        "{told}"
    );
    let told = World::new(&rule("secret_file = 7")).error();
    assert!(
        told.contains("automations.tell.webhook.secret_file: must be"),
        "{told}"
    );
}

#[test]
fn a_category_of_the_owners_is_known_to_rules() {
    let text = format!(
        "{RULE}filters = {{ category = \"billing\" }}\nwebhook = {{ url = \"http://a/\" }}\n\
             [activity]\nextra_categories = [\"billing\"]\n"
    );
    assert_eq!(World::new(&text).loaded().settings.automations.len(), 1);
}
