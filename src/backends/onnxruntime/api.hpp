// onnxruntime: graphs run by ONNX Runtime, whose shared library is looked for when it is first asked for. It
// knows graphs and arrays, and no model. This header: the part of ONNX Runtime's C interface that moa calls,
// for the library's own header is not there where moa is built. The interface is one table of functions.
// Places in it are never given away again, only added at its end, so that a place that was published
// (github.com/microsoft/onnxruntime, onnxruntime_c_api.h, struct OrtApi) stays what it was.
#pragma once

#include <cstddef>
#include <cstdint>

namespace moa::ort {

// Things that the library gives out by their address alone.
struct Allocator;
struct CudaOptions;
struct Env;
struct MemoryInfo;
struct RunOptions;
struct Session;
struct SessionOptions;
struct Status;
struct TensorInfo;
struct TensorRtOptions;
struct TypeInfo;
struct Value;

using Log = void(void* owner, int severity, const char* category, const char* log_id, const char* place,
                 const char* message);

// A function's place in the table and its type.
template <std::size_t kPlace, typename Function>
struct Entry {
  static constexpr std::size_t place = kPlace;
  using type = Function;
};

// The version of the table that is asked for: that of ONNX Runtime 1.12, the first with all of these.
inline constexpr std::uint32_t kVersion = 12;

inline constexpr Entry<1, int(const Status*)> kErrorCode;
inline constexpr Entry<2, const char*(const Status*)> kErrorMessage;
inline constexpr Entry<4, Status*(Log*, void*, int, const char*, Env**)> kCreateEnvWithCustomLogger;
inline constexpr Entry<6, Status*(const Env*)> kDisableTelemetryEvents;
inline constexpr Entry<7, Status*(const Env*, const char*, const SessionOptions*, Session**)> kCreateSession;
inline constexpr Entry<9, Status*(Session*, const RunOptions*, const char* const*, const Value* const*,
                                  std::size_t, const char* const*, std::size_t, Value**)>
    kRun;
inline constexpr Entry<10, Status*(SessionOptions**)> kCreateSessionOptions;
inline constexpr Entry<24, Status*(SessionOptions*, int)> kSetIntraOpNumThreads;
inline constexpr Entry<30, Status*(const Session*, std::size_t*)> kSessionGetInputCount;
inline constexpr Entry<31, Status*(const Session*, std::size_t*)> kSessionGetOutputCount;
inline constexpr Entry<33, Status*(const Session*, std::size_t, TypeInfo**)> kSessionGetInputTypeInfo;
inline constexpr Entry<34, Status*(const Session*, std::size_t, TypeInfo**)> kSessionGetOutputTypeInfo;
inline constexpr Entry<36, Status*(const Session*, std::size_t, Allocator*, char**)> kSessionGetInputName;
inline constexpr Entry<37, Status*(const Session*, std::size_t, Allocator*, char**)> kSessionGetOutputName;
inline constexpr Entry<49, Status*(const MemoryInfo*, void*, std::size_t, const std::int64_t*, std::size_t,
                                   int, Value**)>
    kCreateTensorWithData;
inline constexpr Entry<51, Status*(Value*, void**)> kGetTensorMutableData;
inline constexpr Entry<55, Status*(const TypeInfo*, const TensorInfo**)> kCastTypeInfoToTensorInfo;
inline constexpr Entry<60, Status*(const TensorInfo*, int*)> kGetTensorElementType;
inline constexpr Entry<61, Status*(const TensorInfo*, std::size_t*)> kGetDimensionsCount;
inline constexpr Entry<62, Status*(const TensorInfo*, std::int64_t*, std::size_t)> kGetDimensions;
inline constexpr Entry<65, Status*(const Value*, TensorInfo**)> kGetTensorTypeAndShape;
inline constexpr Entry<69, Status*(int, int, MemoryInfo**)> kCreateCpuMemoryInfo;
inline constexpr Entry<76, Status*(Allocator*, void*)> kAllocatorFree;
inline constexpr Entry<78, Status*(Allocator**)> kGetAllocatorWithDefaultOptions;
inline constexpr Entry<92, void(Env*)> kReleaseEnv;
inline constexpr Entry<93, void(Status*)> kReleaseStatus;
inline constexpr Entry<94, void(MemoryInfo*)> kReleaseMemoryInfo;
inline constexpr Entry<95, void(Session*)> kReleaseSession;
inline constexpr Entry<96, void(Value*)> kReleaseValue;
inline constexpr Entry<98, void(TypeInfo*)> kReleaseTypeInfo;
inline constexpr Entry<99, void(TensorInfo*)> kReleaseTensorInfo;
inline constexpr Entry<100, void(SessionOptions*)> kReleaseSessionOptions;
inline constexpr Entry<125, Status*(char***, int*)> kGetAvailableProviders;
inline constexpr Entry<126, Status*(char**, int)> kReleaseAvailableProviders;
inline constexpr Entry<170, Status*(SessionOptions*, const TensorRtOptions*)> kAppendTensorRt;
inline constexpr Entry<171, Status*(TensorRtOptions**)> kCreateTensorRtOptions;
inline constexpr Entry<174, void(TensorRtOptions*)> kReleaseTensorRtOptions;
inline constexpr Entry<204, Status*(SessionOptions*, const CudaOptions*)> kAppendCuda;
inline constexpr Entry<205, Status*(CudaOptions**)> kCreateCudaOptions;
inline constexpr Entry<208, void(CudaOptions*)> kReleaseCudaOptions;
inline constexpr Entry<216, Status*(SessionOptions*, const char*, const char* const*, const char* const*,
                                    std::size_t)>
    kAppendProvider;

// What the library gives out under the one name that it exports, OrtGetApiBase.
struct ApiBase {
  const void* const* (*table)(std::uint32_t version);
  const char* (*version)();
};

// The table; `api[kRun](…)` calls.
class Api {
 public:
  explicit Api(const void* const* table = nullptr) : table_(table) {}

  template <std::size_t kPlace, typename Function>
  Function* operator[](Entry<kPlace, Function>) const {
    return reinterpret_cast<Function*>(const_cast<void*>(table_[kPlace]));
  }

 private:
  const void* const* table_;
};

// OrtLoggingLevel, OrtErrorCode, OrtAllocatorType and OrtMemType, as far as they are used.
inline constexpr int kLogErrors = 3;
inline constexpr int kNoSuchFile = 3;
inline constexpr int kNotImplemented = 9;
inline constexpr int kArenaAllocator = 1;
inline constexpr int kDefaultMemory = 0;

}  // namespace moa::ort
