#include "train/component/process_group.hpp"

#include <signal.h>

#define USE_C10D_GLOO  // libtorch was built with it; its header asks
#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <moa/error.hpp>

#ifdef MOA_WITH_NCCL
#include "train/component/nccl.hpp"
#endif

namespace moa::train {
namespace {

using c10d::ProcessGroupGloo;
// What gloo's and NCCL's have in common; libtorch 1's name of it is ProcessGroup.
using Group =
    std::conditional_t<std::is_base_of_v<c10d::Backend, ProcessGroupGloo>, c10d::Backend, c10d::ProcessGroup>;

constexpr std::string_view kFile = "file://";
constexpr std::string_view kTcp = "tcp://";
constexpr std::chrono::minutes kMeeting{5};
// A process that ends is noticed at once. This is for the time that process 0 needs to judge and save.
constexpr std::chrono::hours kPatience{24};

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::invalid_argument, "cannot train in several processes: " + what);
}

// The first line of what libtorch or gloo says.
std::string reason_of(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  const std::string what = of_torch != nullptr ? of_torch->what_without_backtrace() : error.what();
  return what.substr(0, what.find('\n'));
}

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

Address address_of(const std::string& meeting_point) {
  const std::string rest = meeting_point.substr(kTcp.size());
  const std::size_t colon = rest.rfind(':');
  Address address;
  if (colon != std::string::npos && colon > 0) {
    const char* end = rest.data() + rest.size();
    const auto parsed = std::from_chars(rest.data() + colon + 1, end, address.port);
    if (parsed.ec == std::errc() && parsed.ptr == end && address.port != 0) {
      address.host = rest.substr(0, colon);
      return address;
    }
  }
  refuse("found '" + meeting_point + "', expected tcp://ADDRESS:PORT");
}

// The address that this process is reached at.
std::shared_ptr<gloo::transport::Device> device_for(const std::string& meeting_point) {
  const bool is_here = meeting_point.starts_with(kFile) || meeting_point.starts_with("tcp://127.") ||
                       meeting_point.starts_with("tcp://localhost:");
  if (is_here) return ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  // As torch's own programs are told which of several networks to take.
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  if (interface != nullptr && *interface != '\0') {
    return ProcessGroupGloo::createDeviceForInterface(interface);
  }
  return ProcessGroupGloo::createDefaultDevice();
}

c10::intrusive_ptr<c10d::Store> store_at(const TrainProcesses& processes) {
  const std::string& place = processes.meeting_point;
  if (place.starts_with(kFile)) {
    return c10::make_intrusive<c10d::FileStore>(place.substr(kFile.size()), processes.count);
  }
  if (!place.starts_with(kTcp)) refuse("found '" + place + "', expected tcp://ADDRESS:PORT or file:///PATH");
  const Address address = address_of(place);
  c10d::TCPStoreOptions options;
  options.port = address.port;
  options.isServer = processes.rank == 0;
  options.numWorkers = static_cast<std::size_t>(processes.count);
  options.timeout = kMeeting;
  return c10::make_intrusive<c10d::TCPStore>(address.host, options);
}

c10::intrusive_ptr<Group> make_gloo_group(const c10::intrusive_ptr<c10d::Store>& store,
                                          const TrainProcesses& processes) {
  const auto options = ProcessGroupGloo::Options::create(kPatience);
  options->devices.push_back(device_for(processes.meeting_point));
  return c10::make_intrusive<ProcessGroupGloo>(store, processes.rank, processes.count, options);
}

// gloo writes to sockets whose other end may be gone, which ends a program that has not said otherwise,
// before anybody can tell that another process is lost.
void survive_closed_sockets() {
  struct sigaction now {};
  if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

struct ProcessGroup::Groups {
  c10::intrusive_ptr<Group> gloo;
  c10::intrusive_ptr<Group> nccl;  // null: tensors on a graphics card go by way of memory
};

at::Tensor ProcessGroup::sendable(const at::Tensor& tensor) const {
  const bool stays = tensor.is_cuda() && groups_->nccl;
  return tensor.detach().to(stays ? tensor.device() : at::Device(at::kCPU)).contiguous();
}

template <typename Work>
void ProcessGroup::together(const at::Tensor& sent, const Work& work) const {
  try {
    const at::NoGradGuard no_graph;
    work(sent.is_cuda() ? *groups_->nccl : *groups_->gloo)->wait();
  } catch (const std::exception& error) {
    throw Error(ErrorCode::io_error, "process " + std::to_string(rank_) + " of " + std::to_string(count_) +
                                         " has lost another one: " + reason_of(error));
  }
}

ProcessGroup::ProcessGroup(const TrainProcesses& processes, [[maybe_unused]] at::Device device)
    : rank_(processes.rank), count_(processes.count), groups_(std::make_unique<Groups>()) {
  if (rank_ < 0 || rank_ >= count_) {
    refuse("found rank " + std::to_string(rank_) + " of " + std::to_string(count_));
  }
  survive_closed_sockets();
  try {
    const auto store = store_at(processes);
    store->setTimeout(kMeeting);
    groups_->gloo = make_gloo_group(store, processes);
#ifdef MOA_WITH_NCCL
    if (device.is_cuda()) groups_->nccl = make_nccl_group(store, rank_, count_, device);
#endif
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::io_error, "process " + std::to_string(rank_) + " of " + std::to_string(count_) +
                                         " cannot meet the others at '" + processes.meeting_point +
                                         "': " + reason_of(error));
  }
}

ProcessGroup::~ProcessGroup() = default;

void ProcessGroup::sum(at::Tensor& tensor) const {
  std::vector<at::Tensor> tensors{sendable(tensor)};
  together(tensors.front(), [&](Group& group) { return group.allreduce(tensors); });
  if (!tensors.front().is_alias_of(tensor)) tensor.detach().copy_(tensors.front());
}

void ProcessGroup::sum(std::span<double> numbers) const {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(numbers.size())}, at::kDouble);
  std::copy(numbers.begin(), numbers.end(), tensor.data_ptr<double>());
  sum(tensor);
  std::copy_n(tensor.data_ptr<double>(), numbers.size(), numbers.begin());
}

void ProcessGroup::broadcast(at::Tensor& tensor) const {
  std::vector<at::Tensor> tensors{sendable(tensor)};
  together(tensors.front(), [&](Group& group) { return group.broadcast(tensors); });
  if (!tensors.front().is_alias_of(tensor)) tensor.detach().copy_(tensors.front());
}

at::Tensor ProcessGroup::gather(const at::Tensor& own) const {
  at::Tensor counts = at::zeros({count_}, at::kLong);
  auto* const count_of = counts.data_ptr<std::int64_t>();
  count_of[rank_] = own.size(0);
  sum(counts);
  // As many rows are wanted from everyone.
  at::Tensor sent = sendable(own);
  std::vector<std::int64_t> shape = own.sizes().vec();
  shape[0] = *std::max_element(count_of, count_of + count_);
  if (shape[0] > own.size(0)) {
    const at::Tensor padded = at::zeros(shape, sent.options());
    padded.narrow(0, 0, own.size(0)).copy_(sent);
    sent = padded;
  }
  std::vector<at::Tensor> inputs{sent};
  std::vector<std::vector<at::Tensor>> received(1);
  for (int i = 0; i < count_; ++i) received.front().push_back(at::empty(shape, sent.options()));
  together(sent, [&](Group& group) { return group.allgather(received, inputs); });
  std::vector<at::Tensor> rows;
  for (int i = 0; i < count_; ++i) {
    const auto place = static_cast<std::size_t>(i);
    rows.push_back(i == rank_ ? own : received.front()[place].narrow(0, 0, count_of[i]).to(own.device()));
  }
  return at::cat(rows);
}

}  // namespace moa::train
