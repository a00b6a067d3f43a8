//! The pages in a real browser: Chromium, without a window, with a page's scripts off.
//!
//! Where there is none the tests are ignored, and their names say why. `LAB_CHROMIUM` names
//! the program where `PATH` does not have it.

#![expect(
    clippy::disallowed_methods,
    reason = "it starts a browser that can tell it nothing before it runs"
)]

mod chromium;
#[path = "../recorded/mod.rs"]
mod recorded;

use std::{fs, path::PathBuf, process::ExitCode};

use lab_report::{fold::fold, history::Brief, html, lang::Lang};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use tempfile::TempDir;

use chromium::{Chromium, find};
use recorded::STREAMS;

/// A phone, and a wide screen: CSS pixels.
const WIDTHS: [u32; 2] = [360, 1440];

type Test = fn(&mut Chromium, &[PathBuf]) -> Result<(), Failed>;

const TESTS: [(&str, Test); 4] = [
    ("no_page_complains_or_asks_for_anything", asks_for_nothing),
    ("language_and_theme_switch_without_scripts", switches),
    ("no_page_scrolls_sideways", fits),
    ("a_page_prints_whole", prints),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each has a browser of its own, and that has processes enough.
    arguments.test_threads.get_or_insert(1);
    let program = find();
    let trials = TESTS.map(|(name, test)| {
        let Some(program) = program.clone() else {
            let name = format!("{name} (not run: no Chromium; `apt-get install chromium`)");
            return Trial::test(name, || Ok(())).with_ignored_flag(true);
        };
        Trial::test(name, move || {
            let (_folder, pages) = pages()?;
            test(&mut Chromium::start(&program)?, &pages)
        })
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

/// Every page there is, as files.
fn pages() -> Result<(TempDir, Vec<PathBuf>), Failed> {
    let folder = tempfile::tempdir()?;
    let mut pages = Vec::new();
    let mut briefs = Vec::new();
    let mut keep = |name: &str, page: &str| {
        let file = folder.path().join(format!("{name}.html"));
        pages.push(file.clone());
        fs::write(file, page)
    };
    for name in STREAMS {
        let report = fold(recorded::read(name)?.events);
        briefs.push(Brief::of(name, &report));
        keep(name, &html::render(&report, Lang::Korean))?;
    }
    keep("index", &html::render_index(&briefs, Lang::Korean))?;
    Ok((folder, pages))
}

fn expect(holds: bool, otherwise: impl Into<String>) -> Result<(), Failed> {
    if holds {
        Ok(())
    } else {
        Err(otherwise.into().into())
    }
}

fn asks_for_nothing(browser: &mut Chromium, pages: &[PathBuf]) -> Result<(), Failed> {
    for page in pages {
        browser.size(1440)?;
        let seen = browser.open(page)?;
        let own = format!("file://{}", page.display());
        let of = |method: &'static str| seen.iter().filter(move |it| it["method"] == method);
        let asked: Vec<_> = of("Network.requestWillBeSent")
            .filter_map(|it| it["params"]["request"]["url"].as_str())
            .filter(|url| *url != own && !url.starts_with("data:"))
            .collect();
        expect(asked.is_empty(), format!("{own} asked for {asked:?}"))?;
        for complaint in [
            "Log.entryAdded",
            "Runtime.exceptionThrown",
            "Runtime.consoleAPICalled",
        ] {
            let said: Vec<_> = of(complaint).collect();
            expect(said.is_empty(), format!("{own}: {said:?}"))?;
        }
    }
    Ok(())
}

fn switches(browser: &mut Chromium, pages: &[PathBuf]) -> Result<(), Failed> {
    for page in pages {
        browser.size(1440)?;
        browser.open(page)?;
        // What is seen of each language: headings, prose, words in plots.
        let shown = "['.en', '.ko'].map(it => [...document.querySelectorAll(it)]\
                     .filter(it => it.checkVisibility()).length > 0)";
        for (switch, expected) in [
            ("lang-en", json!([true, false])),
            ("lang-ko", json!([false, true])),
        ] {
            browser.click(&format!("label[for={switch}]"))?;
            let found = browser.ask(shown)?;
            expect(
                found == expected,
                format!(
                    "{}: after {switch} English and Korean show: {found}",
                    page.display()
                ),
            )?;
        }
        let color = "getComputedStyle(document.body).backgroundColor";
        let mut colors = Vec::new();
        for switch in ["theme-light", "theme-dark", "theme-light"] {
            browser.click(&format!("label[for={switch}]"))?;
            colors.push(browser.ask(color)?);
        }
        expect(
            colors[0] != colors[1] && colors[0] == colors[2],
            format!("{}: backgrounds {colors:?}", page.display()),
        )?;
    }
    Ok(())
}

/// Closed and with everything unfolded, in both languages.
fn fits(browser: &mut Chromium, pages: &[PathBuf]) -> Result<(), Failed> {
    let unfold = "document.querySelectorAll('details').forEach(it => it.open = true)";
    let widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]";
    // What sticks out, for whoever has to mend it.
    let wide = "[...document.querySelectorAll('body *')]\
                .filter(it => it.getBoundingClientRect().right > innerWidth + 1 && !it.closest('.scroll, svg'))\
                .slice(0, 5).map(it => it.outerHTML.slice(0, 120))";
    for page in pages {
        for width in WIDTHS {
            browser.size(width)?;
            browser.open(page)?;
            for (lang, is_unfolded) in [("ko", false), ("en", false), ("en", true), ("ko", true)] {
                browser.click(&format!("label[for=lang-{lang}]"))?;
                if is_unfolded {
                    browser.ask(unfold)?;
                }
                let found = browser.ask(widths)?;
                if found[0].as_u64() > found[1].as_u64() {
                    let wide = browser.ask(wide)?;
                    return Err(format!(
                        "{} in {lang} at {width} px, unfolded {is_unfolded}: {found}, {wide}",
                        page.display()
                    )
                    .into());
                }
            }
        }
    }
    Ok(())
}

fn prints(browser: &mut Chromium, pages: &[PathBuf]) -> Result<(), Failed> {
    for page in pages {
        browser.size(1440)?;
        browser.open(page)?;
        let pdf = browser.print()?;
        expect(pdf.starts_with(b"%PDF-"), "it is a PDF")?;
        browser.emulate_print(true)?;
        // On paper nothing can be unfolded, and nothing scrolled to.
        let hidden = "[...document.querySelectorAll('details > :not(summary)')]\
                      .filter(it => !it.closest('.en') && !it.closest('.ko') && it.offsetHeight === 0).length";
        let switches = "document.querySelector('.switches').checkVisibility()";
        let (hidden, switches) = (browser.ask(hidden)?, browser.ask(switches)?);
        browser.emulate_print(false)?;
        expect(
            switches == Value::Bool(false),
            format!("{}: the switches are on paper", page.display()),
        )?;
        expect(
            hidden == json!(0),
            format!("{}: {hidden} folded parts are not on paper", page.display()),
        )?;
    }
    Ok(())
}
