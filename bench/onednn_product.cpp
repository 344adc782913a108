#include "onednn_product.hpp"

#include <cstring>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>

#include "stopwatch.hpp"

namespace moa::bench {
namespace {

using dnnl::memory;

struct Types {
  memory::data_type x, w;
};

Types types_of(Precision precision) {
  switch (precision) {
    case Precision::bf16:
      return {memory::data_type::bf16, memory::data_type::bf16};
    case Precision::int8:
      return {memory::data_type::u8, memory::data_type::s8};
    case Precision::f32:
      break;
  }
  return {memory::data_type::f32, memory::data_type::f32};
}

dnnl::inner_product_forward::primitive_desc describe(const dnnl::engine& engine, const ProductSize& size,
                                                     Precision precision) {
  const Types types = types_of(precision);
  const memory::desc x({size.rows, size.depth}, types.x, memory::format_tag::ab);
  const memory::desc w({size.columns, size.depth}, types.w, memory::format_tag::any);
  const memory::desc b({size.columns}, memory::data_type::f32, memory::format_tag::any);
  const memory::desc y({size.rows, size.columns}, memory::data_type::f32, memory::format_tag::ab);
  return {dnnl::inner_product_forward::desc(dnnl::prop_kind::forward_inference, x, w, b, y), engine, true};
}

// `values`, [rows, columns] or [columns], converted to what `desc` asks for.
memory filled(const memory::desc& desc, const dnnl::engine& engine, dnnl::stream& stream,
              const std::vector<float>& values) {
  const memory::dims dims = desc.dims();
  memory plain(
      {dims, memory::data_type::f32, dims.size() == 2 ? memory::format_tag::ab : memory::format_tag::a},
      engine);
  std::memcpy(plain.get_data_handle(), values.data(), values.size() * sizeof(float));
  memory result(desc, engine);
  dnnl::reorder(plain, result).execute(stream, plain, result);
  stream.wait();
  return result;
}

}  // namespace

std::function<void()> onednn_product(const std::vector<float>& x, const std::vector<float>& w,
                                     const std::vector<float>& b, const ProductSize& size,
                                     Precision precision) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const auto description = describe(engine, size, precision);
  if (!description) return {};
  const memory in = filled(description.src_desc(), engine, stream, x);
  const memory weights = filled(description.weights_desc(), engine, stream, w);
  const memory bias = filled(description.bias_desc(), engine, stream, b);
  const memory out(description.dst_desc(), engine);
  const dnnl::inner_product_forward primitive(description);
  return [=]() mutable {
    primitive.execute(
        stream,
        {{DNNL_ARG_SRC, in}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_BIAS, bias}, {DNNL_ARG_DST, out}});
    stream.wait();
  };
}

double onednn_primitive_seconds(std::int64_t rows, std::int64_t depth, std::int64_t columns) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return seconds([&] {
    const dnnl::inner_product_forward primitive(describe(engine, {rows, depth, columns}, Precision::f32));
  });
}

}  // namespace moa::bench
