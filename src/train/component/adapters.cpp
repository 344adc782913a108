#include "train/component/adapters.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include <moa/error.hpp>

#include "base/name_pattern.hpp"
#include "base/number_text.hpp"

namespace moa::train {
namespace {

// A product of two thin matrices, which is never multiplied out.
struct Thin {
  at::Tensor left;   // [out, thin]
  at::Tensor right;  // [thin, in]
};

class ThinAddition : public torch::LinearAddition {
 public:
  explicit ThinAddition(double scale) : scale_(scale) {}
  at::Tensor forward(const at::Tensor& x) const final {
    const Thin thin = build();
    return at::linear(at::linear(x, thin.right), thin.left) * scale_;
  }
  virtual Thin build() const = 0;

 private:
  double scale_;
};

class Lora final : public ThinAddition {
 public:
  Lora(double scale, Thin thin) : ThinAddition(scale), thin_(std::move(thin)) {}
  Thin build() const override { return thin_; }

 private:
  Thin thin_;
};

struct Train {
  at::Tensor first, second, third;

  // [width, rank], of cores [1, n1, bond], [bond, n2, rank] and [rank, n3, rank].
  at::Tensor tall() const {
    const at::Tensor two = at::matmul(first.squeeze(0), second.flatten(1)).reshape({-1, third.size(0)});
    return at::matmul(two, third.flatten(1)).reshape({-1, third.size(2)});
  }
};

class TrainLora final : public ThinAddition {
 public:
  TrainLora(double scale, Train out, Train in)
      : ThinAddition(scale), out_(std::move(out)), in_(std::move(in)) {}
  Thin build() const override { return {out_.tall(), in_.tall().t()}; }

 private:
  Train out_;
  Train in_;
};

class Shared final : public ThinAddition {
 public:
  Shared(double scale, Thin both, at::Tensor slots, bool is_tall)
      : ThinAddition(scale), both_(std::move(both)), slots_(std::move(slots)), is_tall_(is_tall) {}
  Thin build() const override {
    if (is_tall_) return {at::matmul(both_.left, slots_).flatten(0, 1), both_.right};
    return {both_.left, at::matmul(slots_, both_.right).transpose(0, 1).flatten(1)};
  }

 private:
  Thin both_;         // U and V
  at::Tensor slots_;  // S
  bool is_tall_;      // slots lie below each other, not side by side
};

class MatrixTrain final : public torch::LinearAddition {
 public:
  MatrixTrain(double scale, Train train) : scale_(scale), train_(std::move(train)) {}
  at::Tensor forward(const at::Tensor& x) const override {
    const at::Tensor& a = train_.first;
    const at::Tensor& b = train_.second;
    const at::Tensor& c = train_.third;
    const at::Tensor two = at::matmul(a.reshape({-1, a.size(3)}), b.flatten(1)).reshape({-1, c.size(0)});
    const at::Tensor whole = at::matmul(two, c.flatten(1))
                                 .reshape({a.size(1), a.size(2), b.size(1), b.size(2), c.size(1), c.size(2)})
                                 .permute({0, 2, 4, 1, 3, 5})
                                 .reshape({a.size(1) * b.size(1) * c.size(1), -1});
    return at::linear(x, whole) * scale_;
  }

 private:
  double scale_;
  Train train_;
};

// Makes the tensors of adapters, from one stream of random numbers.
class Maker {
 public:
  Maker(const AdapterOptions& options, std::uint64_t seed, at::Device device, std::vector<LearnedTensor>& all)
      : rank_(options.rank),
        scale_(options.alpha / static_cast<double>(options.rank)),
        generator_(at::detail::createCPUGenerator(seed)),
        device_(device),
        all_(all) {}

  std::shared_ptr<const torch::LinearAddition> make(AdapterKind kind, const std::string& module,
                                                    std::int64_t out, std::int64_t in) {
    switch (kind) {
      case AdapterKind::lora: {
        const std::string stem = std::string(kPeftPrefix) + module;
        const double edge = 1 / std::sqrt(static_cast<double>(in));
        const at::Tensor a = uniform(stem + ".lora_A.weight", {rank_, in}, edge);
        const at::Tensor b = zeros(stem + ".lora_B.weight", {out, rank_});
        return std::make_shared<Lora>(scale_, Thin{b, a});
      }
      case AdapterKind::tt_lora:
        return std::make_shared<TrainLora>(scale_, out_train(module + ".tt_lora.p", out),
                                           in_train(module + ".tt_lora.q", in));
      case AdapterKind::tt_matrix: {
        const auto o = tensor_train_modes(out);
        const auto i = tensor_train_modes(in);
        const std::string stem = module + ".tt_matrix.g";
        const double spread = 1 / std::sqrt(static_cast<double>(rank_));
        return std::make_shared<MatrixTrain>(scale_,
                                             Train{zeros(stem + "1", {1, o[0], i[0], rank_}),
                                                   normal(stem + "2", {rank_, o[1], i[1], rank_}, spread),
                                                   normal(stem + "3", {rank_, o[2], i[2], 1}, spread)});
      }
      case AdapterKind::shared:
        return shared(module, out, in);
    }
    throw Error(ErrorCode::internal, "an adapter that is not known");
  }

 private:
  // The first core alone is zero, so that the other ones get a gradient after a step, and it at once.
  Train out_train(const std::string& stem, std::int64_t width) {
    const auto [n1, n2, n3] = tensor_train_modes(width);
    const std::int64_t bond = std::min(rank_, n1);
    const double spread = 1 / std::sqrt(static_cast<double>(rank_));
    return {zeros(stem + "1", {1, n1, bond}), normal(stem + "2", {bond, n2, rank_}, spread),
            normal(stem + "3", {rank_, n3, rank_}, spread)};
  }
  // Such that what it multiplies out to varies as LoRA's A does: 1 / (3 in).
  Train in_train(const std::string& stem, std::int64_t width) {
    const auto [n1, n2, n3] = tensor_train_modes(width);
    const std::int64_t bond = std::min(rank_, n1);
    const double spread = std::pow(3.0 * static_cast<double>(width * bond * rank_), -1.0 / 6);
    return {normal(stem + "1", {1, n1, bond}, spread), normal(stem + "2", {bond, n2, rank_}, spread),
            normal(stem + "3", {rank_, n3, rank_}, spread)};
  }

  std::shared_ptr<const torch::LinearAddition> shared(const std::string& module, std::int64_t out,
                                                      std::int64_t in) {
    const std::int64_t side = std::min(out, in);
    const std::int64_t slots = std::max(out, in) / side;
    if (!is_shareable({out, in})) {
      throw Error(ErrorCode::shape_mismatch, "cannot share an adapter with '" + module + "' " +
                                                 to_string(Shape{out, in}) +
                                                 ": expected one side to be a multiple of the other");
    }
    const std::string key = shared_key(module, side);
    Thin& both = shared_[key];
    if (!both.left.defined()) {
      both.left = uniform(key + ".shared.u", {side, rank_}, 1 / std::sqrt(static_cast<double>(side)));
      both.right = zeros(key + ".shared.v", {rank_, side});
    }
    const at::Tensor own =
        normal(module + ".shared.s", {slots, rank_, rank_}, 1 / std::sqrt(static_cast<double>(rank_)));
    return std::make_shared<Shared>(scale_, both, own, out > in);
  }

  at::Tensor add(const std::string& name, const at::Tensor& values) {
    const at::Tensor tensor = values.to(device_).detach().requires_grad_(true);
    all_.push_back(learned(name, tensor));
    return tensor;
  }
  at::Tensor zeros(const std::string& name, at::IntArrayRef sizes) {
    return add(name, at::zeros(sizes, at::kFloat));
  }
  at::Tensor normal(const std::string& name, at::IntArrayRef sizes, double spread) {
    return add(name, at::empty(sizes, at::kFloat).normal_(0, spread, generator_));
  }
  at::Tensor uniform(const std::string& name, at::IntArrayRef sizes, double edge) {
    return add(name, at::empty(sizes, at::kFloat).uniform_(-edge, edge, generator_));
  }

  std::int64_t rank_;
  double scale_;
  at::Generator generator_;
  at::Device device_;
  std::vector<LearnedTensor>& all_;
  std::map<std::string, Thin> shared_;
};

}  // namespace

void add_adapters(const AdapterOptions& options, const std::vector<Parameter>& linears, std::uint64_t seed,
                  torch::TorchWeights& weights, std::vector<LearnedTensor>& all) {
  constexpr std::int64_t kMostRank = 1 << 14;
  if (options.rank < 1 || options.rank > kMostRank || !(options.alpha > 0)) {
    throw Error(ErrorCode::invalid_argument,
                "cannot make an adapter of rank " + std::to_string(options.rank) + " and alpha " +
                    shortest_digits(options.alpha) + ": expected a rank of 1 to " +
                    std::to_string(kMostRank) + " and an alpha above 0");
  }
  Maker maker(options, seed, weights.device(), all);
  bool any = false;
  for (const Parameter& weight : linears) {
    const std::string suffix = ".weight";
    const std::string& name = weight.name();
    if (name.size() <= suffix.size() || !name.ends_with(suffix)) continue;
    const std::string module = name.substr(0, name.size() - suffix.size());
    if (!fits_any(options.targets, module)) continue;
    weights.add_to(weight, maker.make(options.kind, module, weight.shape()[0], weight.shape()[1]));
    any = true;
  }
  if (any) return;
  std::string patterns;
  for (const std::string& pattern : options.targets) patterns += " '" + pattern + "'";
  throw Error(ErrorCode::invalid_argument,
              "cannot put an adapter on the model: no linear layer fits" + patterns);
}

}  // namespace moa::train
