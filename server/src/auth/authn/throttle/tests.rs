//! The throttle on a clock of its own.

use std::net::Ipv6Addr;

use super::*;

const SECOND: u64 = 1_000;
const DAY: u64 = 24 * 60 * 60 * SECOND;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// One attempt that fails where it is let pass.
fn fails(throttle: &mut Throttle, account: &str, address: &str, now: u64) -> Result<(), Duration> {
    throttle.admit(account, ip(address), None, now).map(|_| ())
}

/// How many guesses of a day pass, tried as soon as each is let.
fn guesses(throttle: &mut Throttle, address: &str, account: impl Fn(u32) -> String) -> u32 {
    let (mut now, mut passed) = (0, 0);
    while now < DAY {
        match fails(throttle, &account(passed), address, now) {
            Ok(()) => passed += 1,
            Err(wait) => now += millis(wait),
        }
    }
    passed
}

#[test]
fn the_delay_doubles_up_to_its_longest_and_refusals_do_not_add_to_it() {
    let mut throttle = Throttle::default();
    for _ in 0..ACCOUNT.free {
        assert_eq!(fails(&mut throttle, "anna", "10.0.0.1", 0), Ok(()));
    }
    let mut now = 0;
    for expected in [1, 2, 4, 8, 16] {
        for _ in 0..10 {
            assert_eq!(fails(&mut throttle, "anna", "10.0.0.1", now), Err(Duration::from_secs(expected)));
        }
        now += expected * SECOND;
        assert!(fails(&mut throttle, "anna", "10.0.0.1", now - 1).is_err());
        assert_eq!(fails(&mut throttle, "anna", "10.0.0.1", now), Ok(()));
    }
    assert_eq!(ACCOUNT.delay(u32::MAX), ACCOUNT.longest);
    assert_eq!(ADDRESS.delay(ADDRESS.free + 40), ADDRESS.longest);
}

#[test]
fn a_day_of_guessing_is_a_hundred_guesses_at_an_account_and_some_hundreds_at_an_address() {
    let at_one = guesses(&mut Throttle::default(), "10.0.0.1", |_| "anna".to_owned());
    assert!((90..150).contains(&at_one), "{at_one}");
    let at_many = guesses(&mut Throttle::default(), "10.0.0.1", |n| format!("user{n}"));
    assert!((1_000..2_000).contains(&at_many), "{at_many}");
}

#[test]
fn who_fails_elsewhere_delays_nobody_here() {
    let mut throttle = Throttle::default();
    // One address against one account, and thousands of networks against the same.
    for _ in 0..1_000 {
        let _: Result<_, _> = fails(&mut throttle, "anna", "10.0.0.1", 0);
    }
    for n in 0..5_000_u32 {
        assert_eq!(fails(&mut throttle, "anna", &Ipv6Addr::from(u128::from(n) << 80).to_string(), 0), Ok(()));
    }
    assert!(fails(&mut throttle, "anna", "10.0.0.1", 0).is_err());
    assert_eq!(fails(&mut throttle, "anna", "10.0.0.2", 0), Ok(()));
}

#[test]
fn a_known_browser_waits_for_its_own_failures_alone() {
    let mut throttle = Throttle::default();
    let device = crate::auth::Secret::random().expect("random bytes").hash();
    for n in 0..1_000 {
        let _: Result<_, _> = fails(&mut throttle, &format!("user{}", n % 3), "10.0.0.1", 0);
    }
    let known = |throttle: &mut Throttle| throttle.admit("user0", ip("10.0.0.1"), Some(device), 0);
    assert!(fails(&mut throttle, "user0", "10.0.0.1", 0).is_err());
    for _ in 0..ACCOUNT.free {
        let _: Admitted = known(&mut throttle).expect("not delayed by others");
    }
    assert!(known(&mut throttle).is_err(), "a stolen cookie is no way to guess");
    assert_eq!(fails(&mut throttle, "user0", "10.0.0.2", 0), Ok(()));
}

#[test]
fn attempts_under_way_count_and_those_that_nobody_looked_at_do_not() {
    let mut throttle = Throttle::default();
    let mut under_way: Vec<_> =
        (0..ACCOUNT.free).map(|_| throttle.admit("anna", ip("10.0.0.1"), None, 0).expect("passes")).collect();
    assert!(fails(&mut throttle, "anna", "10.0.0.1", 0).is_err());
    throttle.untried(under_way.pop().expect("one"));
    assert_eq!(fails(&mut throttle, "anna", "10.0.0.1", 0), Ok(()));
    throttle.succeeded(under_way.pop().expect("one"));
    for _ in 0..ACCOUNT.free {
        assert_eq!(fails(&mut throttle, "anna", "10.0.0.1", 0), Ok(()), "it begins anew");
    }
}

#[test]
fn an_account_of_one_s_own_does_not_make_up_for_failures_at_others() {
    let mut throttle = Throttle::default();
    let mut passed = 0;
    for n in 0..100 {
        if let Ok(own) = throttle.admit("mallory", ip("10.0.0.1"), None, 0) {
            throttle.succeeded(own);
        }
        passed += u32::from(fails(&mut throttle, &format!("user{n}"), "10.0.0.1", 0).is_ok());
    }
    assert_eq!(passed, ADDRESS.free);
}

#[test]
fn failures_are_forgotten_one_by_one() {
    let mut throttle = Throttle::default();
    for _ in 0..ACCOUNT.free {
        assert_eq!(fails(&mut throttle, "anna", "10.0.0.1", 0), Ok(()));
    }
    let later = millis(ACCOUNT.forgets);
    assert_eq!(fails(&mut throttle, "anna", "10.0.0.1", later), Ok(()));
    assert!(fails(&mut throttle, "anna", "10.0.0.1", later).is_err());
}

#[test]
fn memory_is_bounded_and_old_counts_go_first() {
    let mut throttle = Throttle::default();
    for n in 0..u32::try_from(2 * MOST).expect("small") {
        let address = IpAddr::from(Ipv6Addr::from(u128::from(n) << 80));
        let _: Admitted = throttle.admit("anna", address, None, u64::from(n)).expect("passes");
        assert!(throttle.counts.len() <= MOST);
    }
    let newest = client_network(IpAddr::from(Ipv6Addr::from(u128::from(2 * MOST as u64 - 1) << 80)));
    assert!(throttle.counts.contains_key(&ThrottleKey::Address(newest)));
}

#[test]
fn the_networks_around_an_address_are_slowed_down_too_and_more_loosely() {
    for (first, addresses, free) in [
        ("a /24", (0..250).map(|n| format!("10.0.0.{n}")).collect::<Vec<_>>(), WIDE.free),
        ("a /56", (0..250).map(|n| format!("2001:db8:0:{n:x}::1")).collect(), SITE.free),
        ("a /48", (0..250).map(|n| format!("2001:db8:0:{n:x}00::1")).collect(), WIDE.free),
    ] {
        let mut throttle = Throttle::default();
        let passed =
            addresses.iter().zip(0..).filter(|(from, n)| fails(&mut throttle, &format!("u{n}"), from, 0).is_ok());
        assert_eq!(u32::try_from(passed.count()), Ok(free), "{first}");
        assert_eq!(fails(&mut throttle, "anna", "192.0.2.1", 0), Ok(()), "{first}: elsewhere");
    }
}

#[test]
fn whoever_logs_in_without_end_waits_and_nobody_else_does() {
    let mut throttle = Throttle::default();
    let log_in = |throttle: &mut Throttle, address: &str, now: u64| {
        throttle.admit("anna", ip(address), None, now).map(|admitted| throttle.logged_in(admitted, now))
    };
    for _ in 0..LOG_INS.free {
        assert_eq!(log_in(&mut throttle, "10.0.0.1", 0), Ok(()));
    }
    assert_eq!(log_in(&mut throttle, "10.0.0.1", 0), Err(Duration::from_secs(1)));
    assert_eq!(log_in(&mut throttle, "10.0.0.2", 0), Ok(()));
    let (mut now, mut passed) = (0, 0);
    while now < DAY {
        match log_in(&mut throttle, "10.0.0.1", now) {
            Ok(()) => passed += 1,
            Err(wait) => now += millis(wait),
        }
    }
    assert!((5_000..10_000).contains(&passed), "{passed}");
}
