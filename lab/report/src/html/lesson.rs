//! What a chapter teaches beside what it shows.

use maud::{Markup, html};

use crate::{
    lang::words,
    lessons::{Deed, Lesson, Names},
};

/// What the stage is for, and how the tutorials do it.
pub(super) fn before(lesson: &Lesson) -> Markup {
    html! {
        p.lesson { (lesson.purpose.prose()) }
        details.aside {
            summary { (words("How the tutorials do it", "튜토리얼에서는")) }
            p.lesson { (lesson.tutorials.prose()) }
            @if !lesson.wrong.is_empty() {
                h3 { (words("What they get wrong, or what has changed since", "틀렸거나 그 뒤 달라진 것")) }
                dl.wrong {
                    @for wrong in lesson.wrong {
                        div { dt { code { (wrong.lab) } } dd { (wrong.what.prose()) } }
                    }
                }
            }
        }
    }
}

/// The same by hand, and questions.
pub(super) fn after(lesson: &Lesson, names: &Names) -> Markup {
    html! {
        details.aside {
            summary { (words("The same by hand", "직접 해 보기")) }
            (deeds(&(lesson.by_hand)(names)))
        }
        details.aside {
            summary { (words("Three questions", "세 가지 질문")) }
            ol.questions {
                @for question in lesson.questions {
                    li {
                        details {
                            summary { (question.asked.prose()) }
                            p { (question.answer.prose()) }
                        }
                    }
                }
            }
        }
    }
}

fn deeds(deeds: &[Deed]) -> Markup {
    html! {
        ol.deeds {
            @for deed in deeds { li { p { (deed.why) } pre tabindex="0" { (deed.command) } } }
        }
    }
}
