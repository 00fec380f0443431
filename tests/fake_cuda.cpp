// A CUDA device for fake tensors: with it, a CPU build of torch runs autograd on fake tensors with device "cuda".

#include <new>

#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

constexpr auto CUDA = c10::DeviceType::CUDA;

struct FakeHooks : at::CUDAHooksInterface {
  bool isBuilt() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
};
static_assert(sizeof(FakeHooks) == sizeof(at::CUDAHooksInterface));

struct FakeGuard : c10::impl::NoOpDeviceGuardImpl<CUDA> {
  c10::Stream getStream(c10::Device) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, c10::Device(CUDA, 0));
  }
  void record(void**, const c10::Stream&, const c10::DeviceIndex, const c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
};

// torch creates its hooks when it is imported, so they are replaced in their place.
static void* hooks() { return const_cast<at::CUDAHooksInterface*>(&at::detail::getCUDAHooks()); }

extern "C" void install() {
  static FakeGuard guard;
  c10::impl::registerDeviceGuard(CUDA, &guard);
  new (hooks()) FakeHooks();
}

extern "C" void uninstall() {
  c10::impl::registerDeviceGuard(CUDA, nullptr);
  new (hooks()) at::CUDAHooksInterface();
}
