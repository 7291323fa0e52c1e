//! `[oidc]`, `[header]` and `[roles]` as people write them, and the mistakes that are reported.

use model::rights::Role;

use super::*;
use crate::config::file::parse;

const HEAD: &str = "url = \"https://sluice.example.org\"\nnode = [{name=\"a\",address=\"/x\"}]\n";
const ROLES: &str = "[roles]\nadmin = [\"sluice-admins\"]\noperator = [\"ops\", \"ops-*\"]\nviewer = [\"*\"]\n";
const OIDC: &str = "[oidc]\nissuer = \"https://id.example.org/\"\nclient_id = \"sluice\"\n";
const HEADER: &str = "[header]\nuser = \"X-Forwarded-User\"\nfrom = [\"127.0.0.1\", \"10.0.0.0/8\"]\n";

fn told(text: &str) -> Vec<String> {
    match parse(text) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_provider_a_header_and_roles_are_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let secret = dir.path().join("secret");
    fs::write(&secret, "hush hush\n").expect("written");
    let more = format!("client_secret_file = {secret:?}\nname = \"Example ID\"\nuser_claim = \"sub\"\n");
    let config = parse(&format!("{HEAD}{OIDC}{more}{HEADER}groups = \"X-Forwarded-Groups\"\n{ROLES}")).expect("good");
    let IdentityConfig { oidc, header, roles } = config.identity;
    let oidc = oidc.expect("a provider");
    assert_eq!(oidc.redirect, "https://sluice.example.org/login/oidc/callback");
    assert_eq!(oidc.client_secret, Some(ClientSecret("hush hush".to_owned())));
    assert_eq!((oidc.name.as_str(), oidc.user_claim.as_deref()), ("Example ID", Some("sub")));
    assert_eq!((oidc.groups_claim.as_str(), oidc.scopes.join(" ").as_str()), ("groups", "openid profile groups"));
    let header = header.expect("a header");
    assert!(header.trusts("10.9.8.7".parse().expect("ip")) && !header.trusts("127.0.0.2".parse().expect("ip")));
    assert_eq!(header.groups, Some(HeaderName::from_static("x-forwarded-groups")));
    assert_eq!(roles.role(&["ops-berlin".to_owned()]), Some(Role::Operator));
    assert!(!parse(HEAD).expect("good").identity.is_any());
}

#[test]
fn each_mistake_is_told_at_its_place() {
    for (text, want) in [
        (format!("{HEAD}{OIDC}"), "3:1: nobody could log in: say which groups may do what"),
        (format!("{HEAD}{HEADER}"), "3:1: nobody could log in"),
        (format!("{HEAD}{ROLES}"), "3:1: `roles` is for groups of [oidc] or [header], and there is neither"),
        (format!("{}{OIDC}{ROLES}", HEAD.replace("url", "#")), "3:1: [oidc] needs the address that browsers use"),
        (format!("{HEAD}[oidc]\nclient_id = \"x\"\n{ROLES}"), "3:1: [oidc] has no `issuer`"),
        (
            format!("{HEAD}{}{ROLES}", OIDC.replace("https", "http")),
            "4:10: \"http://id.example.org/\" is not encrypted",
        ),
        (format!("{HEAD}{OIDC}isuer = 1\n{ROLES}"), "6:1: unknown key `isuer`: did you mean `issuer`?"),
        (format!("{HEAD}{OIDC}scopes = \"openid\"\n{ROLES}"), "6:10: `scopes` is text: write a list"),
        (format!("{HEAD}{OIDC}ca = \"ca.pem\"\n{ROLES}"), "6:6: `ca` is no absolute path"),
        (format!("{HEAD}{OIDC}ca = \"/dev/null\"\n{ROLES}"), "6:6: there is no certificate in the file"),
        (format!("{HEAD}{OIDC}client_secret_file = \"/no/such\"\n{ROLES}"), "6:22: /no/such: cannot read the file"),
        (format!("{HEAD}{OIDC}client_secret_file = \"/dev/null\"\n{ROLES}"), "6:22: there is no secret in the file"),
        (format!("{HEAD}{HEADER}groups = \"x-forwarded-user\"\n{ROLES}"), "3:1: `user` and `groups` are the same"),
        (format!("{}{HEADER}{ROLES}", HEAD.replace("url", "#")), "3:1: [header] needs the address that browsers use"),
        (format!("{HEAD}[header]\nuser = \"X-User\"\n{ROLES}"), "3:1: [header] has no `from`"),
        (format!("{HEAD}[header]\nuser = \"X User\"\nfrom = [\"::1\"]\n{ROLES}"), "4:8: \"X User\" can't be a header"),
        (format!("{HEAD}[header]\nuser = \"Cookie\"\nfrom = [\"::1\"]\n{ROLES}"), "4:8: \"Cookie\" means something"),
        (format!("{HEAD}[header]\nuser = \"X-U\"\nfrom = [\"0.0.0.0/0\"]\n{ROLES}"), "5:9: \"0.0.0.0/0\" is every"),
        (format!("{HEAD}[header]\nuser = \"X-U\"\nfrom = [\"proxy\"]\n{ROLES}"), "5:9: \"proxy\" is no address"),
        (format!("{HEAD}{HEADER}[roles]\n"), "6:1: [roles] is empty"),
        (format!("{HEAD}{HEADER}[roles]\nadmins = [\"x\"]\n"), "7:1: unknown key `admins`: did you mean `admin`?"),
        (format!("{HEAD}{HEADER}[roles]\nadmin = \"x\"\n"), "7:9: `admin` is text: write a list"),
        (format!("{HEAD}{HEADER}[roles]\nadmin = [\"\"]\n"), "7:10: an item of `admin` is no text, or empty"),
    ] {
        let got = told(&text);
        assert!(got.len() == 1 && got[0].starts_with(want), "{text}\ntold: {got:#?}\nwant: {want}");
    }
    let both = format!("{HEAD}{OIDC}client_secret = \"hush\"\nclient_secret_file = \"/etc/hostname\"\n{ROLES}");
    let got = told(&both).join("\n");
    assert!(got.contains("there are two client secrets") && !got.contains("hush"), "{got}");
}
