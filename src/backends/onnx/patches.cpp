// Pictures that keep their own shapes, padded behind their patches. Positions are resized to each picture as
// the graph runs: whatever grids a batch has, they are one product with the table.
#include <utility>

#include <moa/error.hpp>

#include "backends/onnx/interpreter.hpp"
#include "tensor/checks.hpp"

namespace moa {

using onnx::Builder;
using onnx::ElementType;

Patches OnnxInterpreter::patches(std::span<const float>, std::int64_t width, std::span<const PatchGrid>) {
  const OnnxImageInput& image = options_.image;
  const onnx::Dimension batch{0, image.batch};
  const onnx::Dimension length{0, image.patches};
  auto value = std::make_shared<PatchesValue>();
  value->rows.name = builder_.input({image.pixels, ElementType::f32, {batch, length, {width}}});
  const std::string mask = builder_.input({image.mask, ElementType::i64, {batch, length}});
  value->shapes = builder_.input({image.shapes, ElementType::i64, {batch, {2}}});
  value->rows.width = width;
  value->rows.mask = builder_.cast(mask, ElementType::boolean);
  value->rows.batch_of = value->rows.name;
  value->rows.length_of = value->rows.name;
  return Patches(std::move(value));
}

Rows OnnxInterpreter::rows_of(const Patches& patches) {
  return Rows(std::make_shared<RowsValue>(see(patches).rows));
}

// [batch, patches, cells]: what each of `cells` is to a patch at `place` [batch, patches] of `size` [batch,
// 1] along an axis. With centres at halves, cell j and place i are (2j + 1) size and (2i + 1) cells, up to a
// factor that the sum takes out: whole numbers, exact in f32. The weight is a triangle as wide as the coarser
// of the two grids.
std::string OnnxInterpreter::cell_weights(const std::string& place, const std::string& size,
                                          std::int64_t cells) {
  const auto node = [&](const char* operation, std::vector<std::string> inputs) {
    return builder_.node(operation, std::move(inputs));
  };
  const auto behind = [&](const std::string& value) {
    return node("Unsqueeze", {builder_.cast(value, ElementType::f32), builder_.integers({-1})});
  };
  std::vector<float> odd;
  for (std::int64_t cell = 0; cell < cells; ++cell) odd.push_back(static_cast<float>(2 * cell + 1));
  const std::string odd_cells = builder_.floats("odd numbers", {cells}, std::move(odd));
  const auto count = static_cast<double>(cells);
  const std::string own_size = behind(size);
  const std::string twice = node("Mul", {behind(place), builder_.constant(2 * count)});
  const std::string centre = node("Add", {twice, builder_.constant(count)});
  const std::string distance = node("Abs", {node("Sub", {node("Mul", {odd_cells, own_size}), centre})});
  const std::string coarser = node("Max", {own_size, builder_.constant(count)});
  const std::string reach = node("Mul", {coarser, builder_.constant(2.0)});
  const std::string weights = node("Relu", {node("Sub", {reach, distance})});
  return node("Div", {weights, builder_.reduce("ReduceSum", weights, {-1}, Builder::Axes::kept)});
}

Rows OnnxInterpreter::add_position_grid(const Rows& x, const Patches& patches, const PositionGrid& grid) {
  const RowsValue& in = see(x);
  const PatchesValue& pictures = see(patches);
  expect_table(grid.table, in.width);
  if (in.rows != 0 || in.length_of != pictures.rows.length_of) {
    throw Error(ErrorCode::shape_mismatch, "cannot add positions of '" + grid.table.name() + "' to '" +
                                               in.name + "': expected one row a patch");
  }
  const Parameter table = grid.table.rows(grid.first, grid.first + grid.height * grid.width);
  builder_.enter(grid.table);
  const auto whole = [&](const char* operation, std::vector<std::string> inputs,
                         onnx::Attributes attributes = {}) {
    return builder_.node(operation, std::move(inputs), std::move(attributes), ElementType::i64);
  };
  const auto truth = [&](const char* operation, std::vector<std::string> inputs) {
    return builder_.node(operation, std::move(inputs), {}, ElementType::boolean);
  };
  const auto is = [&](const std::string& value, std::int64_t number) {
    return truth("Equal", {value, builder_.integer(number)});
  };
  const auto side = [&](std::int64_t axis) {  // [batch, 1]
    return whole("Gather", {pictures.shapes, builder_.integers({axis})}, {{"axis", std::int64_t{1}}});
  };
  std::string positions;
  {
    const Builder::Exact exact(builder_);
    const std::string height = side(0);
    const std::string width = side(1);
    const std::string place = places(length(in));
    const std::string row = whole("Div", {place, width});
    const std::string column = whole("Sub", {place, whole("Mul", {row, width})});
    // Padding would be below the picture, where no cell is near.
    const std::string inside = whole("Min", {row, whole("Sub", {height, builder_.integer(1)})});
    // repeats_first_row (tensor/position_grid.hpp), as the graph asks it.
    const std::string first_for_all = truth("And", {is(width, 1), truth("Not", {is(height, grid.height)})});
    const std::string placed = whole("Where", {first_for_all, builder_.integer(0), inside});
    const std::string down =
        builder_.node("Unsqueeze", {cell_weights(placed, height, grid.height), builder_.integers({-1})});
    const std::string across =
        builder_.node("Unsqueeze", {cell_weights(column, width, grid.width), builder_.integers({2})});
    const std::string cells = builder_.node("Reshape", {builder_.node("Mul", {down, across}),
                                                        builder_.integers({0, 0, grid.height * grid.width})});
    positions = builder_.node("MatMul", {cells, builder_.constant(table)});
  }
  const std::string sum = builder_.node("Add", {in.name, positions});
  builder_.leave_layer();
  return rows(in, sum);
}

}  // namespace moa
