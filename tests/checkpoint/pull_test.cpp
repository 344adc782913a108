#include "checkpoint/pull.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/expect_error.hpp"
#include "base/file.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/model_directory.hpp"
#include "pull/digest.hpp"
#include "pull/http.hpp"
#include "pull/hub.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";
constexpr std::uintmax_t kFirstPartBytes = 100'000;  // what hub_server.py sends before it breaks off

// tests/checkpoint/hub_server.py, which ends with this object.
class HubServer {
 public:
  HubServer() {
    const fs::path ports = directory_.path() / "ports";
    const std::string command =
        "exec python3 '" MOA_TEST_DATA "/checkpoint/hub_server.py' '" + ports.string() + "'";
    process_ = ::popen(command.c_str(), "w");
    for (int i = 0; i < 1000 && !fs::exists(ports); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::ifstream(ports) >> port_;
  }
  ~HubServer() {
    if (process_ != nullptr) ::pclose(process_);
  }
  HubServer(const HubServer&) = delete;
  HubServer& operator=(const HubServer&) = delete;
  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  TemporaryDirectory directory_;
  std::FILE* process_ = nullptr;
  int port_ = 0;
};

class Pull : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new HubServer; }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }

  PullRequest request(const std::string& name) const {
    PullRequest request;
    request.id = *HubId::parse(name);
    request.cache = cache_.path();
    request.endpoint = server_->endpoint();
    request.attempts = 3;
    request.retry_delay = std::chrono::milliseconds(1);
    return request;
  }
  fs::path repository(const std::string& organisation) const {
    return cache_.path() / ("models--" + organisation + "--model");
  }
  // Size of the file that has begun to arrive; 0 if there is none.
  std::uintmax_t partial_bytes(const std::string& organisation) const {
    for (const auto& file : fs::directory_iterator(repository(organisation) / "blobs")) {
      if (file.path().extension() == ".incomplete") return file.file_size();
    }
    return 0;
  }
  void expect_whole(const PullResult& result) const {
    const ModelDirectory model = ModelDirectory::open(result.snapshot);
    EXPECT_EQ(model.weights().take("a", {300'000}).read().at(250), 1750 % 251);
    EXPECT_EQ(model.licence(), "mit");
  }
  // The requests that the server has got for paths with `part` in them.
  std::vector<std::string> log(const std::string& part) const {
    struct Text final : HttpReceiver {
      std::string text;
      bool begin(const HttpResponse&, const HttpHeaders&) override { return true; }
      void receive(std::span<const std::byte> bytes) override { text += as_text(bytes); }
    } answer;
    HttpClient(server_->endpoint(), "", nullptr).get("/log", 0, answer);
    std::vector<std::string> lines;
    std::istringstream stream(answer.text);
    for (std::string line; std::getline(stream, line);) {
      if (line.find(part) != std::string::npos) lines.push_back(line);
    }
    return lines;
  }

  static HubServer* server_;
  TemporaryDirectory cache_;
};
HubServer* Pull::server_ = nullptr;

TEST_F(Pull, LaysOutTheCacheAsTheHubsToolsDo) {
  const PullResult result = pull_from_hub(request("good/model"));
  EXPECT_EQ(result.commit, kCommit);
  EXPECT_EQ(result.files, 5u);
  EXPECT_GT(result.downloaded_bytes, 300'000u);
  EXPECT_EQ(read_file(repository("good") / "refs/main", 100), kCommit);
  const fs::path link = fs::read_symlink(repository("good") / "snapshots" / kCommit / "model.safetensors");
  EXPECT_EQ(link.parent_path(), "../../blobs");
  EXPECT_TRUE(is_hub_digest(link.filename().string()));
  expect_whole(result);
  ModelSearch where;
  where.hub_cache = cache_.path();
  EXPECT_EQ(resolve_model("good/model", where), result.snapshot);
}

TEST_F(Pull, TakesOnlyWhatMoaReads) {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(pull_from_hub(request("good/model")).snapshot)) {
    names.push_back(file.path().filename().string());
  }
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"README.md", "config.json", "merges.txt", "model.safetensors",
                                             "tokenizer.json"}));
}

TEST_F(Pull, FetchesNothingTwice) {
  pull_from_hub(request("good/model"));
  const std::size_t before = log("/resolve/").size();
  EXPECT_EQ(pull_from_hub(request("good/model")).downloaded_bytes, 0u);
  EXPECT_EQ(log("/resolve/").size(), before);
}

TEST_F(Pull, UsesBlobsThatAnotherRevisionBrought) {
  pull_from_hub(request("good/model"));
  fs::remove_all(repository("good") / "snapshots");
  const PullResult result = pull_from_hub(request("good/model@refs/pr/1"));
  EXPECT_EQ(result.downloaded_bytes, 0u);
  EXPECT_EQ(read_file(repository("good") / "refs/refs/pr/1", 100), kCommit);
  expect_whole(result);
}

TEST_F(Pull, WritesNoReferenceForACommit) {
  expect_whole(pull_from_hub(request("good/model@" + kCommit)));
  EXPECT_FALSE(fs::exists(repository("good") / "refs"));
}

TEST_F(Pull, ReportsProgressUpToTheWholeSize) {
  PullRequest asked = request("good/model");
  PullProgress last;
  std::string last_file;
  asked.progress = [&](const PullProgress& progress) {
    last = progress;
    last_file = progress.file;
  };
  pull_from_hub(asked);
  EXPECT_EQ(last_file, "model.safetensors");
  EXPECT_EQ(last.file_number, last.file_count);
  EXPECT_EQ(last.done_bytes, last.total_bytes);
  EXPECT_GT(last.total_bytes, 300'000u);
}

TEST_F(Pull, ResumesADownloadThatBreaksOff) {
  expect_whole(pull_from_hub(request("once/model")));
  EXPECT_EQ(log("/large/once"), (std::vector<std::string>{"/large/once", "/large/once bytes=100000-"}));
}

TEST_F(Pull, ResumesWhatAnEarlierPullLeft) {
  PullRequest impatient = request("broken/model");
  impatient.attempts = 1;
  MOA_EXPECT_ERROR(pull_from_hub(impatient), io_error);
  EXPECT_EQ(partial_bytes("broken"), kFirstPartBytes);
  EXPECT_FALSE(fs::exists(repository("broken") / "refs"));
  MOA_EXPECT_ERROR(pull_from_hub(impatient), io_error);  // 100,000 bytes further
  EXPECT_EQ(partial_bytes("broken"), 2 * kFirstPartBytes);
  MOA_EXPECT_ERROR(pull_from_hub(impatient), io_error);
  expect_whole(pull_from_hub(impatient));
  EXPECT_EQ(partial_bytes("broken"), 0u);
}

TEST_F(Pull, BeginsAnewWhereTheServerCannotResume) {
  expect_whole(pull_from_hub(request("rangeless/model")));
}

TEST_F(Pull, BeginsAnewWhereMoreIsThereThanTheFileHas) {
  const PullResult whole = pull_from_hub(request("good/model"));
  const fs::path blob = fs::canonical(whole.snapshot / "model.safetensors");
  std::ofstream(blob, std::ios::app) << "more";
  fs::rename(blob, blob.string() + ".incomplete");
  expect_whole(pull_from_hub(request("good/model")));
}

TEST_F(Pull, VerifiesWhatWasCompleteButNotYetPublished) {
  const PullResult whole = pull_from_hub(request("good/model"));
  const fs::path blob = fs::canonical(whole.snapshot / "model.safetensors");
  fs::rename(blob, blob.string() + ".incomplete");
  const PullResult again = pull_from_hub(request("good/model"));
  EXPECT_EQ(again.downloaded_bytes, 0u);
  expect_whole(again);
}

TEST_F(Pull, DeletesAFileWhoseHashIsWrong) {
  MOA_EXPECT_ERROR(pull_from_hub(request("wrong/model")), corrupt_data);
  EXPECT_EQ(partial_bytes("wrong"), 0u);
  EXPECT_FALSE(fs::exists(repository("wrong") / "snapshots" / kCommit / "model.safetensors"));
  EXPECT_FALSE(fs::exists(repository("wrong") / "refs"));
}

TEST_F(Pull, RefusesMoreBytesThanTheFileHas) {
  MOA_EXPECT_ERROR(pull_from_hub(request("endless/model")), corrupt_data);
}

TEST_F(Pull, RefusesBytesFromAnotherPlaceThanItAskedFor) {
  MOA_EXPECT_ERROR(pull_from_hub(request("misplaced/model")), corrupt_data);
}

TEST_F(Pull, RefusesFilesThatItCannotVerify) {
  MOA_EXPECT_ERROR(pull_from_hub(request("untagged/model")), corrupt_data);
}

TEST_F(Pull, FollowsARepositoryThatWasRenamed) {
  expect_whole(pull_from_hub(request("renamed/model")));
}

TEST_F(Pull, GivesUpOnRedirectsInACircle) {
  MOA_EXPECT_ERROR(pull_from_hub(request("circle/model")), io_error);
}

TEST_F(Pull, SendsTheTokenToTheEndpointOnly) {
  PullRequest asked = request("private/model");
  MOA_EXPECT_ERROR(pull_from_hub(asked), not_found);
  asked.token = "secret";
  expect_whole(pull_from_hub(asked));  // the server of large files refuses a token
}

TEST_F(Pull, SaysWhatIsNotThere) {
  MOA_EXPECT_ERROR(pull_from_hub(request("absent/model")), not_found);
  MOA_EXPECT_ERROR(pull_from_hub(request("good/model@v9")), not_found);
  MOA_EXPECT_ERROR(pull_from_hub(request("foreign/model")), unsupported);
}

TEST_F(Pull, WaitsForABusyHub) {
  expect_whole(pull_from_hub(request("busy/model")));
  MOA_EXPECT_ERROR(pull_from_hub(request("busy/always")), overloaded);
}

TEST_F(Pull, TakesNoNameThatLeavesTheSnapshot) {
  EXPECT_EQ(pull_from_hub(request("hostile/model")).files, 5u);
  EXPECT_FALSE(fs::exists(cache_.path() / "escaped.safetensors"));
  MOA_EXPECT_ERROR(pull_from_hub(request("nonsense/model")), corrupt_data);
}

TEST_F(Pull, StopsWhenCancelledAndKeepsWhatArrived) {
  std::atomic<bool> cancelled = false;
  PullRequest asked = request("slow/model");
  asked.cancelled = &cancelled;
  asked.progress = [&](const PullProgress& progress) {
    if (progress.done_bytes == kFirstPartBytes) cancelled = true;
  };
  MOA_EXPECT_ERROR(pull_from_hub(asked), cancelled);
  EXPECT_EQ(partial_bytes("slow"), kFirstPartBytes);
}

TEST_F(Pull, KeepsWhatArrivedWhenTheDiskIsFull) {
  rlimit unlimited{};
  ::getrlimit(RLIMIT_FSIZE, &unlimited);
  rlimit small = unlimited;
  small.rlim_cur = 50'000;
  std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  MOA_EXPECT_ERROR(pull_from_hub(request("good/model")), io_error);
  ::setrlimit(RLIMIT_FSIZE, &unlimited);
  EXPECT_EQ(partial_bytes("good"), 50'000u);
  expect_whole(pull_from_hub(request("good/model")));
}

TEST_F(Pull, ReportsACacheThatCannotBeWritten) {
  PullRequest asked = request("good/model");
  asked.cache = cache_.write("file", "not a folder");
  MOA_EXPECT_ERROR(pull_from_hub(asked), io_error);
  asked.cache.clear();
  MOA_EXPECT_ERROR(pull_from_hub(asked), invalid_argument);
}

TEST_F(Pull, RefusesEndpointsAndTokensThatAreNone) {
  PullRequest asked = request("good/model");
  asked.endpoint = "http://127.0.0.1:1";  // nobody listens there
  MOA_EXPECT_ERROR(pull_from_hub(asked), io_error);
  for (const char* endpoint : {"", "huggingface.co", "file:///etc", "http://a b"}) {
    asked.endpoint = endpoint;
    MOA_EXPECT_ERROR(pull_from_hub(asked), invalid_argument);
  }
  asked = request("good/model");
  asked.token = "a\r\nX-Other: b";
  MOA_EXPECT_ERROR(pull_from_hub(asked), invalid_argument);
}

TEST_F(Pull, WorksThroughItsComponent) {
  expect_whole(pull(request("good/model")));
  MOA_EXPECT_ERROR(pull(request("absent/model")), not_found);
}

TEST(PullRequest, TakesEndpointAndTokenFromTheEnvironment) {
  const PullRequest plain = PullRequest::from(*HubId::parse("a/b"), [](const char*) { return std::nullopt; });
  EXPECT_EQ(plain.endpoint, "https://huggingface.co");
  EXPECT_EQ(plain.token, "");
  const PullRequest set = PullRequest::from(
      *HubId::parse("a/b"), [](const char* name) { return std::optional("value of " + std::string(name)); });
  EXPECT_EQ(set.endpoint, "value of HF_ENDPOINT");
  EXPECT_EQ(set.token, "value of HF_TOKEN");
  EXPECT_EQ(set.cache, "value of HF_HUB_CACHE");
}

TEST(FilesToPull, OfModulesAreThoseOfEveryFolder) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(files_to_pull(Names{"modules.json", "config.json", "model.safetensors", "pytorch_model.bin",
                                "sentence_bert_config.json", "1_Pooling/config.json", "2_Dense/config.json",
                                "2_Dense/model.safetensors", "2_Dense/pytorch_model.bin",
                                "3_Dense/pytorch_model.bin", "onnx/config.json", "onnx/model.onnx",
                                "../config.json", "1_Pooling/../config.json"}),
            (Names{"1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors",
                   "3_Dense/pytorch_model.bin", "config.json", "modules.json", "sentence_bert_config.json",
                   "model.safetensors"}));
  EXPECT_EQ(files_to_pull(Names{"modules.json", "0_CLIPModel/config.json", "0_CLIPModel/merges.txt",
                                "0_CLIPModel/pytorch_model.bin", "README.md"}),
            (Names{"0_CLIPModel/config.json", "0_CLIPModel/merges.txt", "0_CLIPModel/pytorch_model.bin",
                   "README.md", "modules.json"}));
}

TEST(FilesToPull, PrefersTransformersAndFallsBackToOpenClip) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(files_to_pull(Names{"open_clip_model.safetensors", "open_clip_config.json", "model.safetensors",
                                "config.json"}),
            (Names{"config.json", "open_clip_config.json", "model.safetensors"}));
  EXPECT_EQ(files_to_pull(Names{"open_clip_model.safetensors", "open_clip_config.json", "config.json"}),
            (Names{"config.json", "open_clip_config.json", "open_clip_model.safetensors"}));
}

TEST(FilesToPull, AsksOfTwoLayoutsWhichIsMeant) {
  using Names = std::vector<std::string>;
  const Names both{"config.json", "model.safetensors", "open_clip_config.json",
                   "open_clip_pytorch_model.bin"};
  EXPECT_EQ(files_to_pull(both, [] { return true; }),
            (Names{"config.json", "open_clip_config.json", "open_clip_pytorch_model.bin"}));
  bool asked = false;
  const auto ask = [&] { return asked = true; };
  files_to_pull(Names{"config.json", "model.safetensors"}, ask);
  EXPECT_FALSE(asked);
}

TEST(FilesToPull, TakesPytorchWeightsWhereThereAreNoSafetensors) {
  using Names = std::vector<std::string>;
  const Names both{"config.json", "model.safetensors", "pytorch_model.bin"};
  EXPECT_EQ(files_to_pull(both), (Names{"config.json", "model.safetensors"}));
  EXPECT_EQ(files_to_pull(Names{"config.json", "pytorch_model.bin", "training_args.bin"}),
            (Names{"config.json", "pytorch_model.bin"}));
  EXPECT_EQ(files_to_pull(Names{"config.json", "pytorch_model-00001-of-00001.bin", "training_args.bin",
                                "pytorch_model.bin.index.json"}),
            (Names{"config.json", "pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json"}));
  EXPECT_EQ(files_to_pull(Names{"open_clip_config.json", "open_clip_pytorch_model.bin"}),
            (Names{"open_clip_config.json", "open_clip_pytorch_model.bin"}));
  EXPECT_EQ(files_to_pull(Names{"config.json", "pytorch_model.bin", "open_clip_config.json",
                                "open_clip_model.safetensors"}),
            (Names{"config.json", "open_clip_config.json", "open_clip_model.safetensors"}));
}

TEST(FilesToPull, TakesShardsOnlyWithTheirIndex) {
  using Names = std::vector<std::string>;
  const Names shards{"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"};
  MOA_EXPECT_ERROR(files_to_pull(shards), unsupported);
  Names all = shards;
  all.push_back("model.safetensors.index.json");
  EXPECT_EQ(files_to_pull(all).size(), 4u);
  all.push_back("model.safetensors");
  EXPECT_EQ(files_to_pull(all), (Names{"config.json", "model.safetensors"}));
}

}  // namespace
}  // namespace moa
