#include "train/component/process_group.hpp"

#define USE_C10D_GLOO  // libtorch was built with it; its header asks
#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <moa/error.hpp>

namespace moa::train {
namespace {

using c10d::ProcessGroupGloo;

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

at::Tensor in_memory(const at::Tensor& tensor) {
  return tensor.detach().to(at::kCPU).contiguous();
}

}  // namespace

struct ProcessGroup::Gloo {
  c10::intrusive_ptr<ProcessGroupGloo> group;
};

template <typename Work>
void ProcessGroup::together(const Work& work) const {
  try {
    const at::NoGradGuard no_graph;
    work(*gloo_->group)->wait();
  } catch (const std::exception& error) {
    throw Error(ErrorCode::io_error, "process " + std::to_string(rank_) + " of " + std::to_string(count_) +
                                         " has lost another one: " + reason_of(error));
  }
}

ProcessGroup::ProcessGroup(const TrainProcesses& processes)
    : rank_(processes.rank), count_(processes.count), gloo_(std::make_unique<Gloo>()) {
  if (rank_ < 0 || rank_ >= count_) {
    refuse("found rank " + std::to_string(rank_) + " of " + std::to_string(count_));
  }
  try {
    const auto store = store_at(processes);
    store->setTimeout(kMeeting);
    const auto options = ProcessGroupGloo::Options::create(kPatience);
    options->devices.push_back(device_for(processes.meeting_point));
    gloo_->group = c10::make_intrusive<ProcessGroupGloo>(store, rank_, count_, options);
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
  std::vector<at::Tensor> tensors{in_memory(tensor)};
  together([&](ProcessGroupGloo& group) { return group.allreduce(tensors); });
  if (!tensors.front().is_alias_of(tensor)) tensor.detach().copy_(tensors.front());
}

void ProcessGroup::sum(std::span<double> numbers) const {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(numbers.size())}, at::kDouble);
  std::copy(numbers.begin(), numbers.end(), tensor.data_ptr<double>());
  sum(tensor);
  std::copy_n(tensor.data_ptr<double>(), numbers.size(), numbers.begin());
}

void ProcessGroup::broadcast(at::Tensor& tensor) const {
  std::vector<at::Tensor> tensors{in_memory(tensor)};
  together([&](ProcessGroupGloo& group) { return group.broadcast(tensors); });
  if (!tensors.front().is_alias_of(tensor)) tensor.detach().copy_(tensors.front());
}

at::Tensor ProcessGroup::gather(const at::Tensor& own) const {
  at::Tensor counts = at::zeros({count_}, at::kLong);
  auto* const count_of = counts.data_ptr<std::int64_t>();
  count_of[rank_] = own.size(0);
  sum(counts);
  // gloo wants as many rows from everyone.
  std::vector<std::int64_t> shape = own.sizes().vec();
  shape[0] = *std::max_element(count_of, count_of + count_);
  const at::TensorOptions options = own.options().device(at::kCPU).requires_grad(false);
  std::vector<at::Tensor> sent{at::zeros(shape, options)};
  sent.front().narrow(0, 0, own.size(0)).copy_(own.detach());
  std::vector<std::vector<at::Tensor>> received(1);
  for (int i = 0; i < count_; ++i) received.front().push_back(at::empty(shape, options));
  together([&](ProcessGroupGloo& group) { return group.allgather(received, sent); });
  std::vector<at::Tensor> rows;
  for (int i = 0; i < count_; ++i) {
    const auto place = static_cast<std::size_t>(i);
    rows.push_back(i == rank_ ? own : received.front()[place].narrow(0, 0, count_of[i]).to(own.device()));
  }
  return at::cat(rows);
}

}  // namespace moa::train
