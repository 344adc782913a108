#include "onednn_product.hpp"

#include <cstring>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>

#include "stopwatch.hpp"

namespace moa::bench {
namespace {

using dnnl::memory;

dnnl::inner_product_forward::primitive_desc describe(const dnnl::engine& engine, std::int64_t rows,
                                                     std::int64_t depth, std::int64_t columns) {
  const auto any = [](memory::dims dims) {
    return memory::desc(std::move(dims), memory::data_type::f32, memory::format_tag::any);
  };
  const memory::desc plain_x({rows, depth}, memory::data_type::f32, memory::format_tag::ab);
  const memory::desc plain_y({rows, columns}, memory::data_type::f32, memory::format_tag::ab);
  const dnnl::inner_product_forward::desc desc(dnnl::prop_kind::forward_inference, plain_x,
                                               any({columns, depth}), any({columns}), plain_y);
  return {desc, engine};
}

memory filled(const memory::desc& desc, const dnnl::engine& engine, const std::vector<float>& values) {
  memory result(desc, engine);
  std::memcpy(result.get_data_handle(), values.data(), values.size() * sizeof(float));
  return result;
}

}  // namespace

std::function<void()> onednn_product(const std::vector<float>& x, const std::vector<float>& w,
                                     const std::vector<float>& b, std::int64_t rows, std::int64_t depth,
                                     std::int64_t columns) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const auto description = describe(engine, rows, depth, columns);
  const memory plain_w =
      filled({{columns, depth}, memory::data_type::f32, memory::format_tag::ab}, engine, w);
  memory best_w(description.weights_desc(), engine);
  dnnl::reorder(plain_w, best_w).execute(stream, const_cast<memory&>(plain_w), best_w);
  stream.wait();
  const memory in = filled(description.src_desc(), engine, x);
  const memory bias = filled(description.bias_desc(), engine, b);
  const memory out(description.dst_desc(), engine);
  const dnnl::inner_product_forward primitive(description);
  return [=]() mutable {
    primitive.execute(
        stream, {{DNNL_ARG_SRC, in}, {DNNL_ARG_WEIGHTS, best_w}, {DNNL_ARG_BIAS, bias}, {DNNL_ARG_DST, out}});
    stream.wait();
  };
}

double onednn_primitive_seconds(std::int64_t rows, std::int64_t depth, std::int64_t columns) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return seconds(
      [&] { const dnnl::inner_product_forward primitive(describe(engine, rows, depth, columns)); });
}

}  // namespace moa::bench
