//! Steps of work that are told without figures.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A step of work that is told without figures. `Display` says it in English,
/// [`Step::korean`] in Korean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Of the first image: what packages there are.
    ReadIndex,
    /// Of the first image: packages become files.
    UnpackPackages,
    /// Of the first image: packages set themselves up.
    ConfigurePackages,
    /// Of an image: Debian packages.
    InstallPackages,
    /// Of an image: Debian's sources.
    UnpackSources,
    /// Of an image: the installer of Python packages comes.
    DownloadUv,
    /// Of an image: the installer of Python packages is unpacked.
    UnpackUv,
    /// Of an image: Python packages.
    InstallPythonPackages,
    /// Of an image: the recipe's files.
    CopyFiles,
    /// Of an image: the recipe's script.
    RunScript,
    /// Of an image: what only its making needed goes.
    TidyUp,
    /// Of an image: it gets onto the engine.
    WriteImage,
    /// Of an image: another process makes it.
    AnotherBuilds,
    /// Images go to a node.
    Stream,
    /// Of a node: it has let the agent in.
    Admitted,
    /// Of a node.
    ContainerdListens,
    /// Of a node.
    EtcdListens,
    /// Of a node.
    ApiServerAnswers,
    /// Of a node: it has what every cluster has.
    AddonsApplied,
    /// Of a node.
    NodeReady,
    /// Of a node that is asked from outside.
    NoKubeconfig,
    /// Of a node that is asked from outside.
    ApiServerSilent,
    /// Of a node that is asked from outside.
    ApiServerSlow,
    /// Of a node that is asked from outside.
    NotJoined,
    /// Of a cluster: nobody answers yet.
    WaitForDns,
    /// Of a cluster.
    DnsReady,
    /// Of a component.
    Ready,
    /// Of a comparison.
    FirstServer,
    /// Of a comparison of a server with itself.
    FirstServerAgain,
    /// Of a comparison.
    SecondServer,
    /// Of a comparison.
    Canary,
}

impl Step {
    /// What a node's own program tells while it starts; its lines are these words.
    pub const OF_NODE: [Self; 6] = [
        Self::Admitted,
        Self::ContainerdListens,
        Self::EtcdListens,
        Self::ApiServerAnswers,
        Self::AddonsApplied,
        Self::NodeReady,
    ];

    /// In English, as errors say it too: "failed to install packages".
    pub const fn english(self) -> &'static str {
        self.words()[0]
    }

    /// In Korean.
    pub const fn korean(self) -> &'static str {
        self.words()[1]
    }

    const fn words(self) -> [&'static str; 2] {
        match self {
            Self::ReadIndex => ["reading the mirror's index", "미러의 색인 읽는 중"],
            Self::UnpackPackages => ["unpacking packages", "패키지 푸는 중"],
            Self::ConfigurePackages => ["configure packages", "패키지 설정 중"],
            Self::InstallPackages => ["install packages", "패키지 설치 중"],
            Self::UnpackSources => ["unpack sources", "소스 푸는 중"],
            Self::DownloadUv => ["downloading uv", "uv 내려받는 중"],
            Self::UnpackUv => ["unpack uv (it takes python3)", "uv 푸는 중(python3 필요)"],
            Self::InstallPythonPackages => ["install Python packages", "파이썬 패키지 설치 중"],
            Self::CopyFiles => ["copy files", "파일 복사 중"],
            Self::RunScript => ["run build.sh", "build.sh 실행 중"],
            Self::TidyUp => ["tidy up", "정리 중"],
            Self::WriteImage => ["writing the image", "이미지 쓰는 중"],
            Self::AnotherBuilds => ["another lab is building it", "다른 lab이 빌드하는 중"],
            Self::Stream => ["streaming to the node", "노드로 보내는 중"],
            Self::Admitted => ["admitted", "클러스터에 들어옴"],
            Self::ContainerdListens => ["containerd listens", "containerd 연결 받음"],
            Self::EtcdListens => ["etcd listens", "etcd 연결 받음"],
            Self::ApiServerAnswers => ["kube-apiserver answers", "kube-apiserver 응답함"],
            Self::AddonsApplied => ["addons applied", "애드온 적용됨"],
            Self::NodeReady => ["node is Ready", "노드 Ready"],
            Self::NoKubeconfig => [
                "the server has no kubeconfig yet",
                "서버에 아직 kubeconfig가 없음",
            ],
            Self::ApiServerSilent => [
                "the API server does not answer yet",
                "API 서버가 아직 응답하지 않음",
            ],
            Self::ApiServerSlow => [
                "the API server takes long to answer",
                "API 서버의 응답이 늦음",
            ],
            Self::NotJoined => ["it has not joined yet", "아직 클러스터에 들어오지 않음"],
            Self::WaitForDns => ["waits for DNS", "DNS 기다리는 중"],
            Self::DnsReady => ["DNS is ready", "DNS 준비됨"],
            Self::Ready => ["ready", "준비됨"],
            Self::FirstServer => ["the first server", "첫째 서버"],
            Self::FirstServerAgain => ["the first server again", "첫째 서버 다시"],
            Self::SecondServer => ["the second server", "둘째 서버"],
            Self::Canary => ["how fast the machine is", "컴퓨터의 속도"],
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.english())
    }
}
